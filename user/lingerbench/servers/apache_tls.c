/* SPDX-License-Identifier: MIT */
#include "lingerbench/servers/apache.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <unistd.h>

#include "lingerbench/child.h"

#define OPENSSL "/usr/bin/openssl"

static const char *const files[] = { APACHE_PROGRAM, APACHE_MODULES "/mod_mpm_prefork.so",
				     APACHE_MODULES "/mod_ssl.so", OPENSSL, NULL };

static _Noreturn void become_openssl(const char *folder)
{
	int log = chdir(folder) ? -1 : open(PROGRAM_LOG, O_WRONLY | O_CREAT | O_APPEND, 0644);

	if (log < 0)
		_exit(127);
	dup2(log, STDOUT_FILENO);
	dup2(log, STDERR_FILENO);
	execl(OPENSSL, "openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt",
	      "ec_paramgen_curve:P-256", "-nodes", "-subj", "/CN=localhost", "-days", "2",
	      "-keyout", "key.pem", "-out", "cert.pem", (char *)NULL);
	_exit(127);
}

static int make_certificate(const char *folder)
{
	pid_t pid = child_fork();

	if (!pid)
		become_openssl(folder);
	if (pid < 0)
		return pid;
	return child_wait(pid, 30) ? -EIO : 0;
}

static int configure(const struct program_setup *setup)
{
	char more[2 * PATH_MAX + 512];
	int error = make_certificate(setup->folder);

	if (error)
		return error;
	snprintf(more, sizeof(more),
		 "LoadModule ssl_module " APACHE_MODULES "/mod_ssl.so\n"
		 "SSLSessionCache none\n"
		 "SSLEngine on\n"
		 "SSLCertificateFile \"%s/cert.pem\"\n"
		 "SSLCertificateKeyFile \"%s/key.pem\"\n",
		 setup->folder, setup->folder);
	return apache_configure(setup, "prefork", more);
}

const struct program program_apache_tls = {
	.name = "apache-tls",
	.summary = "Apache 2.4 with a process per worker, through TLS",
	.packages = "apache2-bin openssl",
	.files = files,
	.strategies = apache_blocking_strategies,
	.plugin = APACHE_PLUGIN,
	.tls = true,
	.overhead_ms = 250,
	.configure = configure,
	.execute = apache_execute,
};
