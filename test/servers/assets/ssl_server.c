/*
 * An HTTPS server that moves TLS in pieces of any size, by any of OpenSSL's functions:
 *
 *   ssl_server PORT CERT KEY plain|ex|peek|reuse READ WRITE
 *
 * READ and WRITE are the most bytes of one call. A request with a body is answered
 * with that body, /bytes/N with N bytes, any other with "ok". Connections end
 * without SSL_shutdown, as many servers end theirs.
 */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <err.h>
#include <netinet/tcp.h>
#include <openssl/ssl.h>
#include <pthread.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { MOST_INPUT = 4 << 20, MOST_OUTPUT = 64 << 20 };

static enum { PLAIN, EX, PEEK, REUSE } api;
static size_t read_size, write_size;

struct connection {
	SSL *ssl;
	int fd;
	char *input; /* ends with a zero byte */
	size_t have, room;
};

/* Adds the next bytes to the input; false at the end. */
static bool receive(struct connection *c)
{
	if (c->have + read_size >= c->room) {
		c->room = 2 * c->room + read_size;
		c->input = c->room > MOST_INPUT ? NULL : realloc(c->input, c->room);
		if (!c->input)
			return false;
	}
	size_t got = 0;
	if (api == EX) {
		if (!SSL_read_ex(c->ssl, c->input + c->have, read_size, &got))
			return false;
	} else {
		if (api == PEEK && SSL_peek(c->ssl, c->input + c->have, read_size) <= 0)
			return false;
		int n = SSL_read(c->ssl, c->input + c->have, read_size);
		if (n <= 0)
			return false;
		got = n;
	}
	c->have += got;
	c->input[c->have] = 0;
	return true;
}

static bool transmit(struct connection *c, const char *data, size_t left)
{
	while (left > 0) {
		size_t piece = left < write_size ? left : write_size, sent = 0;
		if (api == EX) {
			if (!SSL_write_ex(c->ssl, data, piece, &sent))
				return false;
		} else {
			int n = SSL_write(c->ssl, data, piece);
			if (n <= 0)
				return false;
			sent = n;
		}
		data += sent;
		left -= sent;
	}
	return true;
}

static bool answer(struct connection *c, const char *body, size_t length)
{
	char head[128];
	int n = snprintf(head, sizeof(head), "HTTP/1.1 200 OK\r\nContent-Length: %zu\r\n\r\n",
			 length);
	return transmit(c, head, n) && transmit(c, body, length);
}

static bool answer_bytes(struct connection *c, size_t length)
{
	char *body = length > MOST_OUTPUT ? NULL : malloc(length + 1);
	if (!body)
		return false;
	memset(body, 'x', length);
	bool sent = answer(c, body, length);
	free(body);
	return sent;
}

/* Answers one request; false when the connection is to end. */
static bool exchange(struct connection *c)
{
	char *end;
	while (!(end = c->have ? strstr(c->input, "\r\n\r\n") : NULL))
		if (!receive(c))
			return false;
	*end = 0;
	size_t head = end + 4 - c->input, length = 0, bytes;
	const char *header = strcasestr(c->input, "\r\nContent-Length:");
	if (header)
		length = strtoul(strchr(header, ':') + 1, NULL, 10);
	bool more = !strcasestr(c->input, "\r\nConnection: close");
	bool wanted = sscanf(c->input, "GET /bytes/%zu ", &bytes) == 1;
	while (c->have < head + length)
		if (!receive(c))
			return false;
	bool sent = length ? answer(c, c->input + head, length) :
		    wanted ? answer_bytes(c, bytes) :
			     answer(c, "ok\n", 3);
	c->have -= head + length;
	memmove(c->input, c->input + head + length, c->have + 1);
	return sent && more;
}

static void serve(struct connection *c)
{
	int one = 1;

	/* Head and body are written apart: the body must not wait for the client. */
	setsockopt(c->fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one));
	SSL_set_fd(c->ssl, c->fd);
	if (SSL_accept(c->ssl) == 1)
		while (exchange(c))
			;
	close(c->fd);
	free(c->input);
}

static void *serve_thread(void *argument)
{
	struct connection *c = argument;
	serve(c);
	SSL_free(c->ssl);
	free(c);
	return NULL;
}

static void serve_in_thread(SSL_CTX *context, int fd)
{
	pthread_t thread;
	struct connection *c = calloc(1, sizeof(*c));
	c->fd = fd;
	c->ssl = SSL_new(context);
	if (pthread_create(&thread, NULL, serve_thread, c))
		errx(1, "cannot start a thread");
	pthread_detach(thread);
}

static int listen_on(int port)
{
	struct sockaddr_in address = { .sin_family = AF_INET,
				       .sin_port = htons(port),
				       .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	int one = 1, fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof(one));
	if (bind(fd, (struct sockaddr *)&address, sizeof(address)) || listen(fd, 1024))
		err(1, "cannot listen");
	return fd;
}

int main(int argc, char **argv)
{
	if (argc != 7)
		errx(2, "usage: ssl_server PORT CERT KEY plain|ex|peek|reuse READ WRITE");
	api = !strcmp(argv[4], "ex")	? EX :
	      !strcmp(argv[4], "peek")	? PEEK :
	      !strcmp(argv[4], "reuse") ? REUSE :
					  PLAIN;
	read_size = strtoul(argv[5], NULL, 10);
	write_size = strtoul(argv[6], NULL, 10);
	signal(SIGPIPE, SIG_IGN);
	SSL_CTX *context = SSL_CTX_new(TLS_server_method());
	if (SSL_CTX_use_certificate_file(context, argv[2], SSL_FILETYPE_PEM) != 1 ||
	    SSL_CTX_use_PrivateKey_file(context, argv[3], SSL_FILETYPE_PEM) != 1)
		errx(1, "cannot use the certificate %s with the key %s", argv[2], argv[3]);
	SSL *only = SSL_new(context);
	for (int listener = listen_on(atoi(argv[1]));;) {
		int fd = accept4(listener, NULL, NULL, SOCK_CLOEXEC);
		if (fd < 0)
			err(1, "cannot accept");
		if (api == REUSE) {
			SSL_clear(only);
			serve(&(struct connection){ .ssl = only, .fd = fd });
		} else {
			serve_in_thread(context, fd);
		}
	}
}
