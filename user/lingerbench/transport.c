/* SPDX-License-Identifier: MIT */
#include "lingerbench/transport.h"

#include <errno.h>
#include <openssl/err.h>
#include <sys/socket.h>
#include <unistd.h>

SSL_CTX *transport_context(void)
{
	SSL_CTX *context = SSL_CTX_new(TLS_client_method());

	if (!context)
		return NULL;
	SSL_CTX_set_verify(context, SSL_VERIFY_NONE, NULL);
	SSL_CTX_set_options(context, SSL_OP_IGNORE_UNEXPECTED_EOF);
	SSL_CTX_set_mode(context, SSL_MODE_ENABLE_PARTIAL_WRITE |
					  SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER |
					  SSL_MODE_RELEASE_BUFFERS);
	/* Every client is a new one. */
	SSL_CTX_set_session_cache_mode(context, SSL_SESS_CACHE_OFF);
	return context;
}

int transport_use_tls(struct transport *transport, SSL_CTX *context)
{
	SSL *ssl = SSL_new(context);

	if (!ssl || !SSL_set_fd(ssl, transport->fd)) {
		SSL_free(ssl);
		return -ENOMEM;
	}
	SSL_set_connect_state(ssl);
	transport->ssl = ssl;
	return 0;
}

/* What a call that returned no bytes means; 0: the end. */
static ssize_t tls_error(const struct transport *transport, int result)
{
	int system_error = errno;

	switch (SSL_get_error(transport->ssl, result)) {
	case SSL_ERROR_WANT_READ:
	case SSL_ERROR_WANT_WRITE:
		return -EAGAIN;
	case SSL_ERROR_ZERO_RETURN:
		return 0;
	case SSL_ERROR_SYSCALL:
		return -system_error;
	default:
		return -EPROTO;
	}
}

ssize_t transport_send(struct transport *transport, const void *bytes, size_t length)
{
	ssize_t n;
	size_t sent;
	int result;

	if (!transport->ssl) {
		n = send(transport->fd, bytes, length, MSG_DONTWAIT | MSG_NOSIGNAL);
		return n < 0 ? -errno : n;
	}
	ERR_clear_error();
	errno = 0;
	result = SSL_write_ex(transport->ssl, bytes, length, &sent);
	if (result > 0)
		return (ssize_t)sent;
	n = tls_error(transport, result);
	return n ? n : -EPIPE;
}

ssize_t transport_receive(struct transport *transport, void *buffer, size_t size)
{
	ssize_t n;
	size_t received;
	int result;

	if (!transport->ssl) {
		n = recv(transport->fd, buffer, size, MSG_DONTWAIT);
		return n < 0 ? -errno : n;
	}
	ERR_clear_error();
	errno = 0;
	result = SSL_read_ex(transport->ssl, buffer, size, &received);
	return result > 0 ? (ssize_t)received : tls_error(transport, result);
}

void transport_close(struct transport *transport, bool reset)
{
	const struct linger no_linger = { .l_onoff = 1, .l_linger = 0 };

	if (transport->ssl && !reset && SSL_is_init_finished(transport->ssl)) {
		ERR_clear_error();
		SSL_shutdown(transport->ssl);
	}
	SSL_free(transport->ssl);
	transport->ssl = NULL;
	if (reset)
		setsockopt(transport->fd, SOL_SOCKET, SO_LINGER, &no_linger, sizeof(no_linger));
	close(transport->fd);
	transport->fd = -1;
}
