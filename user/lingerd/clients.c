/* SPDX-License-Identifier: MIT */
#include "lingerd/clients.h"

#include <netinet/in.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/random.h>

/* Longer ones do not come up: there are as many buckets as clients, and nobody can choose one. */
enum { CHAIN_MAX = 64 };

/* Indices + 1 everywhere, so that the tables may begin as zeroes. */
struct client {
	uint64_t key;
	uint32_t count;
	uint32_t bucket;
	uint32_t next; /* in its bucket, or of the free ones */
};

struct clients {
	uint64_t seed[2];
	uint32_t size;
	uint32_t used; /* entries that were ever in use: those behind were never touched */
	uint32_t free; /* the first one of those given back */
	uint32_t bucket_mask;
	bool shared;
	uint32_t *buckets;
	struct client *entries;
};

static size_t bytes_of(uint32_t buckets, uint32_t size)
{
	return sizeof(struct clients) + buckets * sizeof(uint32_t) + size * sizeof(struct client);
}

static void *allocate(size_t bytes, bool shared)
{
	void *block;

	if (!shared)
		return calloc(1, bytes);
	block = mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	return block == MAP_FAILED ? NULL : block;
}

struct clients *clients_new(uint32_t size, bool shared)
{
	struct clients *clients;
	uint32_t buckets = 2;

	while (buckets < size)
		buckets *= 2;
	clients = allocate(bytes_of(buckets, size), shared);
	if (!clients)
		return NULL;
	clients->size = size;
	clients->shared = shared;
	clients->bucket_mask = buckets - 1;
	clients->entries = (struct client *)(clients + 1);
	clients->buckets = (uint32_t *)(clients->entries + size);
	if (getrandom(clients->seed, sizeof(clients->seed), 0) != sizeof(clients->seed)) {
		clients_free(clients);
		return NULL;
	}
	return clients;
}

void clients_free(struct clients *clients)
{
	if (clients && clients->shared)
		munmap(clients, bytes_of(clients->bucket_mask + 1, clients->size));
	else
		free(clients);
}

static uint64_t key_of_ipv4(const void *address)
{
	uint32_t words[2] = { 0 }; /* as no IPv6 address begins that is routed */
	uint64_t key;

	memcpy(&words[1], address, sizeof(words[1]));
	memcpy(&key, words, sizeof(key));
	return key;
}

static bool key_of(const struct sockaddr_storage *address, uint64_t *ret)
{
	const struct sockaddr_in6 *v6 = (const struct sockaddr_in6 *)address;
	const struct sockaddr_in *v4 = (const struct sockaddr_in *)address;

	if (address->ss_family == AF_INET)
		*ret = key_of_ipv4(&v4->sin_addr);
	else if (address->ss_family == AF_INET6 && IN6_IS_ADDR_V4MAPPED(&v6->sin6_addr))
		*ret = key_of_ipv4(&v6->sin6_addr.s6_addr[12]);
	else if (address->ss_family == AF_INET6)
		memcpy(ret, &v6->sin6_addr, sizeof(*ret));
	else
		return false;
	return true;
}

static uint32_t bucket_of(const struct clients *clients, uint64_t key)
{
	__uint128_t product = (__uint128_t)(key ^ clients->seed[0]) * (clients->seed[1] | 1);

	return (uint32_t)((uint64_t)(product >> 64) ^ (uint64_t)product) & clients->bucket_mask;
}

static uint32_t new_entry(struct clients *clients, uint64_t key, uint32_t bucket)
{
	uint32_t handle = clients->free;
	struct client *client;

	if (!handle && clients->used == clients->size)
		return 0;
	if (!handle)
		handle = ++clients->used;
	client = &clients->entries[handle - 1];
	if (handle == clients->free)
		clients->free = client->next;
	*client = (struct client){ .key = key, .bucket = bucket, .next = clients->buckets[bucket] };
	clients->buckets[bucket] = handle;
	return handle;
}

uint32_t clients_add(struct clients *clients, const struct sockaddr_storage *address,
		     uint32_t *ret_count)
{
	uint32_t bucket, handle;
	uint64_t key;

	if (!key_of(address, &key))
		return 0;
	bucket = bucket_of(clients, key);
	handle = clients->buckets[bucket];
	while (handle && clients->entries[handle - 1].key != key)
		handle = clients->entries[handle - 1].next;
	if (!handle)
		handle = new_entry(clients, key, bucket);
	if (handle)
		*ret_count = ++clients->entries[handle - 1].count;
	return handle;
}

/* Another process may give an entry to another client under our eyes: no chain is followed for ever. */
uint32_t clients_count(const struct clients *clients, const struct sockaddr_storage *address)
{
	uint32_t handle;
	uint64_t key;

	if (!key_of(address, &key))
		return 0;
	handle = clients->buckets[bucket_of(clients, key)];
	for (int i = 0; handle && i < CHAIN_MAX; i++) {
		const struct client *client = &clients->entries[handle - 1];

		if (client->key == key)
			return client->count;
		handle = client->next;
	}
	return 0;
}

void clients_remove(struct clients *clients, uint32_t handle)
{
	struct client *client;
	uint32_t *link;

	if (!handle)
		return;
	client = &clients->entries[handle - 1];
	if (--client->count)
		return;
	link = &clients->buckets[client->bucket];
	while (*link != handle)
		link = &clients->entries[*link - 1].next;
	*link = client->next;
	client->next = clients->free;
	clients->free = handle;
}
