/* SPDX-License-Identifier: MIT */
/* One connection over loopback, which its server hands over; with "plain", merely closes. Exits with 0 if the client
 * sees the end of it. */
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

int main(int argc, char **argv)
{
	struct sockaddr_in address = { .sin_family = AF_INET,
				       .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	socklen_t length = sizeof(address);
	int listener = socket(AF_INET, SOCK_STREAM, 0);
	int client = socket(AF_INET, SOCK_STREAM, 0);
	int server, status = 0;
	char byte;

	if (bind(listener, (struct sockaddr *)&address, length) || listen(listener, 1) ||
	    getsockname(listener, (struct sockaddr *)&address, &length) ||
	    connect(client, (struct sockaddr *)&address, length))
		return 3;
	server = accept(listener, NULL, NULL);
	if (argc < 2 || strcmp(argv[1], "plain"))
		status = hand_over(server);
	close(server);
	if (!status && recv(client, &byte, 1, 0))
		status = 4;
	close(client);
	return status;
}
