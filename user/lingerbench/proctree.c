/* SPDX-License-Identifier: MIT */
#include "lingerbench/proctree.h"

#include <stdio.h>

#include "lingerbench/child.h"

static void add_children(struct proctree *tree, pid_t parent)
{
	char path[64];
	FILE *file;
	int pid;

	/* Of its main thread: servers fork there. */
	snprintf(path, sizeof(path), "/proc/%d/task/%d/children", (int)parent, (int)parent);
	file = fopen(path, "re");
	while (file && fscanf(file, "%d", &pid) == 1)
		proctree_add(tree, pid);
	if (file)
		fclose(file);
}

void proctree_add(struct proctree *tree, pid_t root)
{
	size_t place = tree->count;
	uint64_t used = 0;

	if (place == PROCTREE_MAX)
		return;
	tree->count++;
	tree->processes[place].pid = root;
	tree->processes[place].cpu_known = !child_cpu_ns(root, &used);
	tree->processes[place].cpu_ns = used;
	add_children(tree, root);
}

static const uint64_t *find(const struct proctree *tree, pid_t pid)
{
	for (size_t i = 0; i < tree->count; i++)
		if (tree->processes[i].pid == pid && tree->processes[i].cpu_known)
			return &tree->processes[i].cpu_ns;
	return NULL;
}

bool proctree_cpu_ns(const struct proctree *before, const struct proctree *after, uint64_t *ret)
{
	uint64_t sum = 0;

	for (size_t i = 0; i < before->count; i++) {
		const uint64_t *later = find(after, before->processes[i].pid);

		if (!later || !before->processes[i].cpu_known)
			return false;
		sum += *later - before->processes[i].cpu_ns;
	}
	for (size_t i = 0; i < after->count; i++)
		if (!find(before, after->processes[i].pid))
			sum += after->processes[i].cpu_ns;
	*ret = sum;
	return true;
}
