/* SPDX-License-Identifier: MIT */
/* Any configuration file: it is taken as a whole, or refused with a reason and the settings untouched. */
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>

#include "lingerd/settings.h"
#include "tests/fuzz/fuzz.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct settings before, settings;
	struct problem problem = { "" };
	char path[64];
	int fd = memfd_create("lingerd.conf", MFD_CLOEXEC);

	FUZZ_CHECK(fd >= 0 && write(fd, data, size) == (ssize_t)size);
	snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	memset(&settings, 0, sizeof(settings));
	settings_default(&settings);
	memcpy(&before, &settings, sizeof(before));
	if (settings_read_file(&settings, path, &problem)) {
		FUZZ_CHECK(*problem.text && !strchr(problem.text, '\n'));
		FUZZ_CHECK(!memcmp(&before, &settings, sizeof(before)));
	} else {
		FUZZ_CHECK(settings.policy.idle_ns > 0 && settings.policy.total_ns > 0);
		FUZZ_CHECK(settings.user_count <= USER_SETTINGS_MAX);
	}
	close(fd);
	return 0;
}
