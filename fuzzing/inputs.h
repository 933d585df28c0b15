/* Data, targets and options for calls, most of them valid. Each is in memory of exactly its size. */
#ifndef INPUTS_H
#define INPUTS_H

#include "byte_reader.h"
#include "cep.h"

/* Memory that stays valid until free_inputs(). */
void *allocate_input(size_t size);

void free_inputs(void);

/* Mostly rows x columns, of finite values. */
cep_matrix any_matrix(byte_reader *in, int64_t rows, int64_t columns);

/* Labels or values of this many samples; rarely NULL, like the results of the functions below. */
const cep_targets *any_targets(byte_reader *in, int64_t rows, int64_t units);

/* `sizes` are the sizes of the network if it is created. */
const cep_options *any_network_options(byte_reader *in, const int64_t *sizes, int64_t count);

const cep_options *any_rule(byte_reader *in, int64_t connections);

const cep_options *any_theorem_options(byte_reader *in, int64_t connections);

/* A model of synapses as a word. */
const char *any_synapse(byte_reader *in);

/* The name of a tensor, mostly an existing one. */
const char *any_tensor_name(byte_reader *in);

#endif
