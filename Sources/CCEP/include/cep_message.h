/* Where the engine writes the message that cep_last_error() returns. Not part of the public interface. */
#ifndef CEP_MESSAGE_H
#define CEP_MESSAGE_H

enum { CEP_MESSAGE_CAPACITY = 1024 };

/* CEP_MESSAGE_CAPACITY bytes of the calling thread. */
char *cep_message_storage(void);

#endif
