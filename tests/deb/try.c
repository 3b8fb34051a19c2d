/* SPDX-License-Identifier: MIT */
/*
 * A connection over loopback that its server hands over; exits with 0 if the client sees the end of it.
 * try plain: the server closes it, and knows nothing of lingerd.
 * try hold: 200 connections, whose clients send on when there is a line to read, and close.
 */
#include <arpa/inet.h>
#include <linger.h>
#include <netinet/in.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

static int hand_over(int fd)
{
	struct linger_client *client;

	if (linger_client_open(&client, LINGER_DEFAULT_SOCKET))
		return 1;
	if (linger_handoff(client, fd))
		return 2;
	linger_client_close(client);
	return 0;
}

/* Both ends of one. */
static int connect_pair(int *ret_client, int *ret_server)
{
	struct sockaddr_in address = { .sin_family = AF_INET,
				       .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	socklen_t length = sizeof(address);
	int listener = socket(AF_INET, SOCK_STREAM, 0);

	*ret_client = socket(AF_INET, SOCK_STREAM, 0);
	if (bind(listener, (struct sockaddr *)&address, length) || listen(listener, 1) ||
	    getsockname(listener, (struct sockaddr *)&address, &length) ||
	    connect(*ret_client, (struct sockaddr *)&address, length))
		return 3;
	*ret_server = accept(listener, NULL, NULL);
	close(listener);
	return 0;
}

static int try_one(int plain)
{
	int client, server, status = connect_pair(&client, &server);
	char byte;

	if (!status && !plain)
		status = hand_over(server);
	if (status)
		return status;
	close(server);
	if (recv(client, &byte, 1, 0))
		return 4;
	close(client);
	return 0;
}

/* What is sent to a closed socket brings a reset, and the next send fails. */
static int is_alive(int client)
{
	char byte;

	if (recv(client, &byte, 1, 0) || send(client, "a", 1, MSG_NOSIGNAL) != 1)
		return 0;
	usleep(1000);
	return send(client, "b", 1, MSG_NOSIGNAL) == 1;
}

static int hold(void)
{
	int clients[200], server, status = 0;
	char line;

	for (int i = 0; i < 200 && !status; i++) {
		status = connect_pair(&clients[i], &server);
		if (!status)
			status = hand_over(server);
		close(server);
		usleep(1000);
	}
	if (status || read(STDIN_FILENO, &line, 1) != 1)
		return status ? status : 5;
	for (int i = 0; i < 200; i++) {
		if (!is_alive(clients[i]))
			status = 6;
		close(clients[i]);
	}
	return status;
}

int main(int argc, char **argv)
{
	if (argc > 1 && !strcmp(argv[1], "hold"))
		return hold();
	return try_one(argc > 1);
}
