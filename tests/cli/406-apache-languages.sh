#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# Pages of mod_php and mod_perl, 1 KB and 1 MB, in prefork: whole, logged and handed over, from workers that the client
# does not hold.
# shellcheck source=tests/cli/apache.common
. tests/cli/apache.common
php=$(find "$modules" -name 'libphp*.so' | head -n 1)
{ [ -n "$php" ] && [ -e "$modules/mod_perl.so" ]; } || {
    echo "SKIP: no mod_php or no mod_perl; apt-get install libapache2-mod-php libapache2-mod-perl2"
    exit 77
}

# shellcheck disable=SC2016 # PHP's own
echo '<?php $n = intval($_GET["n"]); header("Content-Length: $n"); echo str_repeat("p", $n);' >"$work/pages/page.php"
cat >"$work/LingerPage.pm" <<'PERL'
package LingerPage;
use Apache2::RequestRec ();
use Apache2::RequestIO ();
use APR::Table ();
use Apache2::Const -compile => 'OK';

sub handler {
    my $r = shift;
    my ($n) = $r->args =~ /n=(\d+)/;
    $r->content_type('text/plain');
    $r->headers_out->set('Content-Length' => $n);
    $r->print('p' x $n);
    return Apache2::Const::OK;
}
1;
PERL

pages() { # PATH
    local size before
    for size in 1024 1048576; do
        : >"$work/access.log"
        before=$(counter handoffs)
        peers late "$port" "$1?n=$size" 20
        expect_whole 20
        [ "$ms" -lt 1500 ] || fail "$1: 20 responses of $size bytes took $ms ms: the workers are held"
        wait_for counts handoffs $((before + 20))
        [ "$(awk -v n="$size" '$1 == 200 && $2 > n && $2 < n + 1024' "$work/access.log" | wc -l)" = 20 ] ||
            fail "$1: not 20 lines of $size bytes in the access log"
        peers uploader "$port" "$1?n=$size" 10
        expect_whole 10
        peers tls "$tls_port" "$1?n=$size" 8
        expect_whole 8
        wait_for counts handoffs $((before + 38))
    done
    said 0 "[lingerd:" || fail "the module complains"
}

start_lingerd
start_apache prefork "LoadModule php_module $php" "<FilesMatch \\.php\$>
SetHandler application/x-httpd-php
</FilesMatch>"
pages /page.php
stop_apache
start_apache prefork "LoadModule perl_module $modules/mod_perl.so" "PerlSwitches -I$work" "<Location /perl>
SetHandler modperl
PerlResponseHandler LingerPage
</Location>"
pages /perl
stop_apache
exit 0
