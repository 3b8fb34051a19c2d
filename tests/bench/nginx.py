# SPDX-License-Identifier: MIT
"""Debian's nginx, which closes each connection after its response, and wrk, which opens one for each request."""
import glob
import os
import re
import resource
import socket
import subprocess
import tempfile
import time

CONFIGURATION = """
daemon off;
pid {folder}/pid;
error_log stderr crit;
worker_processes 1;
events {{ worker_connections 1024; }}
http {{
	access_log off;
	keepalive_timeout 0;
	client_body_temp_path {folder}/body;
	proxy_temp_path {folder}/proxy;
	fastcgi_temp_path {folder}/fastcgi;
	uwsgi_temp_path {folder}/uwsgi;
	scgi_temp_path {folder}/scgi;
	server {{
		listen 127.0.0.1:{port};
		location / {{ return 200 "{body}"; }}
	}}
}}
"""
CLIENTS, BODY_BYTES = 16, 1024
# Both on one CPU, the last one: where they run side by side, the figures tell more of who else runs there.
ON_ONE_CPU = ["taskset", "--cpu-list", str(max(os.sched_getaffinity(0)))]


def cpu_ns(pid):
    with open(f"/proc/{pid}/schedstat") as file:
        return int(file.read().split()[0])


class Nginx:
    def __init__(self, port):
        self.port = port
        self.folder = tempfile.TemporaryDirectory()
        path = f"{self.folder.name}/nginx.conf"
        with open(path, "w") as file:
            file.write(CONFIGURATION.format(folder=self.folder.name, port=port, body="x" * BODY_BYTES))
        self.master = subprocess.Popen([*ON_ONE_CPU, "/usr/sbin/nginx", "-c", path])
        while True:
            try:
                socket.create_connection(("127.0.0.1", port)).close()
                break
            except ConnectionRefusedError:
                if self.master.poll() is not None:
                    raise SystemExit("nginx does not start")
                time.sleep(0.05)

    def workers(self):
        children = glob.glob(f"/proc/{self.master.pid}/task/*/children")
        return [pid for path in children for pid in open(path).read().split()]

    def load(self, seconds):
        """Requests per second, and the CPU time of server and clients per request."""
        cpu = sum(map(cpu_ns, self.workers()))
        before = resource.getrusage(resource.RUSAGE_CHILDREN)
        output = subprocess.run([*ON_ONE_CPU, "wrk", "-t1", f"-c{CLIENTS}", f"-d{seconds}", "-H", "Connection: close",
                                 f"http://127.0.0.1:{self.port}/"], check=True, stdout=subprocess.PIPE,
                                text=True, env={**os.environ, "LC_ALL": "C"}).stdout
        after = resource.getrusage(resource.RUSAGE_CHILDREN)
        cpu = sum(map(cpu_ns, self.workers())) - cpu
        clients = (after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime) * 1e9
        requests = int(re.search(r"(\d+) requests in", output)[1])
        if re.search(r"Non-2xx|Socket errors: (?!connect 0, read 0, write 0, timeout 0)", output):
            raise SystemExit(output)
        return {"per_second": float(re.search(r"Requests/sec:\s+([\d.]+)", output)[1]),
                "cpu_us": (cpu + clients) / requests / 1000, "of": requests}

    def stop(self):
        self.master.terminate()
        self.master.wait()
        self.folder.cleanup()
