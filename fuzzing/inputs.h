/* What calls are given: data, targets and rules, mostly right, each in memory of exactly its size. */
#ifndef LENT_H
#define LENT_H

#include "bytes.h"
#include "cep.h"

/* Memory until give_back(). */
void *lend(size_t size);

void give_back(void);

/* Mostly rows x columns, of finite values. */
cep_matrix any_matrix(bytes *in, int64_t rows, int64_t columns);

/* Of so many samples: labels or values. NULL now and then, as the others below. */
const cep_targets *any_targets(bytes *in, int64_t rows, int64_t units);

const cep_rule *any_rule(bytes *in, int64_t connections);

const cep_theorem_conditions *any_conditions(bytes *in, int64_t connections);

#endif
