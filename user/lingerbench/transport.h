/* SPDX-License-Identifier: MIT */
/*
 * The bytes of a client's connection, plain or through TLS (OpenSSL). Nothing blocks; errors are negative errnos,
 * -EAGAIN: try again at the next event of the fd, whichever it is.
 */
#ifndef LINGERBENCH_TRANSPORT_H
#define LINGERBENCH_TRANSPORT_H

#include <openssl/ssl.h>
#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

struct transport {
	int fd;	  /* a non-blocking socket, -1: closed */
	SSL *ssl; /* NULL: plain */
};

/*
 * For clients that believe every certificate: the lab makes its own. NULL: OpenSSL cannot. To be freed with
 * SSL_CTX_free().
 */
SSL_CTX *transport_context(void);

/* Makes it speak TLS; the handshake goes along with the first transport_send(). 0 or -ENOMEM. */
int transport_use_tls(struct transport *transport, SSL_CTX *context);

/* Bytes sent, or a negative errno. */
ssize_t transport_send(struct transport *transport, const void *bytes, size_t length);

/*
 * Bytes received, 0 at the end, or a negative errno. Through TLS a FIN without a close_notify is an end like one
 * with it: whether something is missing shows when the bytes are counted.
 */
ssize_t transport_receive(struct transport *transport, void *buffer, size_t size);

/* Closes it: through TLS with a close_notify if that can be sent at once; with reset by RST. */
void transport_close(struct transport *transport, bool reset);

#endif
