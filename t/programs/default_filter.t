# Programs of the languages that sites use, in the jail that JailRoot host makes, with
# all that is on by default: JailSeccomp, JailScope, no_new_privs, no background. Each uses
# threads, another process, a socket on the loopback (for which the kernel may choose a
# port) and a file.

use lib 't/lib';
use JailCGI::Test;
use JailCGI::Builder;
use JailCGI::Namespace;

private_mounts() or skip_or_fail('no private mounts here');

my $alice = tenant('alice');
my $home  = home_of($alice);
make_accounts($alice);

my %script = (
    perl => ['/usr/bin/perl', <<'END'],
use strict; use threads; use IO::Socket::INET; use File::Temp;
$| = 1;
print "Content-Type: text/plain\n\n";
print "thread ", threads->create(sub { return 6 * 7 })->join, "\n";
print "process ", `echo from a shell`;
my $server = IO::Socket::INET->new(Listen => 1, LocalAddr => '127.0.0.1') or die "listen: $!";
if (!fork) {
    my $client = IO::Socket::INET->new(PeerAddr => '127.0.0.1', PeerPort => $server->sockport);
    print {$client} "hello\n";
    exit;
}
print "socket ", scalar readline $server->accept;
wait;
my $file = File::Temp->new(DIR => $ENV{HOME});
print {$file} "kept\n"; close $file;
open my $in, '<', "$file"; print "file ", scalar readline $in;
END
    python => ['/usr/bin/python3', <<'END'],
import concurrent.futures, multiprocessing, os, socket, subprocess, sys, tempfile, threading
print("Content-Type: text/plain\n", flush=True)
with concurrent.futures.ThreadPoolExecutor() as pool:
    print("thread", pool.submit(lambda: 6 * 7).result(), flush=True)
print("process", subprocess.run(["echo", "from", "a", "shell"], capture_output=True,
    text=True).stdout, end="", flush=True)
with multiprocessing.Pool(2) as pool:
    assert pool.map(abs, [-1, -2]) == [1, 2]
server = socket.create_server(("127.0.0.1", 0))
def talk():
    with socket.create_connection(server.getsockname()) as client:
        client.sendall(b"hello\n")
threading.Thread(target=talk).start()
print("socket", server.accept()[0].makefile().readline(), end="")
with tempfile.NamedTemporaryFile("w+", dir=os.environ["HOME"]) as file:
    file.write("kept\n"); file.seek(0)
    print("file", file.read(), end="")
END
    ruby => ['/usr/bin/ruby', <<'END'],
require 'socket'
require 'tempfile'
$stdout.sync = true
print "Content-Type: text/plain\n\n"
puts "thread #{Thread.new { 6 * 7 }.value}"
print "process #{`echo from a shell`}"
server = TCPServer.new('127.0.0.1', 0)
pid = fork { TCPSocket.new('127.0.0.1', server.addr[1]).puts 'hello' }
print "socket #{server.accept.gets}"
Process.wait pid
Tempfile.create('x', ENV['HOME']) { |f| f.puts 'kept'; f.rewind; print "file #{f.read}" }
END
    node => ['/usr/bin/node', <<'END'],
const { Worker } = require('worker_threads');
const { execFile } = require('child_process');
const fs = require('fs'), net = require('net'), path = require('path');
process.stdout.write('Content-Type: text/plain\n\n');
const thread = () => new Promise((done, failed) => {
    const w = new Worker('require("worker_threads").parentPort.postMessage(6 * 7)',
        { eval: true });
    w.on('message', done); w.on('error', failed);
});
const run = () => new Promise((done, failed) => execFile('echo', ['from', 'a', 'shell'],
    (error, out) => error ? failed(error) : done(out)));
const talk = () => new Promise((done, failed) => {
    const server = net.createServer(s => s.on('data', d => { server.close(); done(d); }));
    server.listen(0, '127.0.0.1', () =>
        net.connect(server.address().port, '127.0.0.1').end('hello\n'));
});
(async () => {
    process.stdout.write(`thread ${await thread()}\nprocess ${await run()}`);
    process.stdout.write(`socket ${await talk()}`);
    const file = path.join(process.env.HOME, 'node.tmp');
    await fs.promises.writeFile(file, 'kept\n');
    process.stdout.write(`file ${await fs.promises.readFile(file, 'utf8')}`);
    await fs.promises.unlink(file);
})();
END
    php => ['/php/usr/bin/php-cgi8.2', <<'END'],
<?php
header('Content-Type: text/plain');
echo "thread 42\n"; // has none
echo 'process ', shell_exec('echo from a shell');
$server = stream_socket_server('tcp://127.0.0.1:0');
$client = stream_socket_client('tcp://' . stream_socket_get_name($server, false));
fwrite($client, "hello\n");
echo 'socket ', fgets(stream_socket_accept($server));
$name = tempnam(getenv('HOME'), 'x');
file_put_contents($name, "kept\n");
echo 'file ', file_get_contents($name);
unlink($name);
END
    java => ['/usr/bin/java --source 11', <<'END'],
import java.io.*; import java.net.*; import java.nio.file.*; import java.util.concurrent.*;
class Page {
    public static void main(String[] args) throws Exception {
        System.out.print("Content-Type: text/plain\n\n");
        ExecutorService pool = Executors.newFixedThreadPool(2);
        System.out.println("thread " + pool.submit(() -> 6 * 7).get());
        Process p = new ProcessBuilder("echo", "from", "a", "shell").start();
        System.out.println("process "
            + new BufferedReader(new InputStreamReader(p.getInputStream())).readLine());
        p.waitFor();
        ServerSocket server = new ServerSocket(0, 5, InetAddress.getByName("127.0.0.1"));
        pool.submit(() -> {
            try (Socket s = new Socket("127.0.0.1", server.getLocalPort())) {
                s.getOutputStream().write("hello\n".getBytes());
            }
            return 0;
        });
        System.out.println("socket " + new BufferedReader(
            new InputStreamReader(server.accept().getInputStream())).readLine());
        Path file = Files.createTempFile(Paths.get(System.getenv("HOME")), "x", "y");
        Files.write(file, "kept\n".getBytes());
        System.out.print("file " + new String(Files.readAllBytes(file)));
        Files.delete(file);
        pool.shutdown();
    }
}
END
);
my $go = <<'END';
package main

import ("bufio"; "fmt"; "net"; "os"; "os/exec")

func main() {
	fmt.Print("Content-Type: text/plain\n\n")
	c := make(chan int)
	go func() { c <- 6 * 7 }()
	fmt.Println("thread", <-c)
	out, _ := exec.Command("echo", "from", "a", "shell").Output()
	fmt.Print("process ", string(out))
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil { panic(err) }
	go func() { s, _ := net.Dial("tcp", l.Addr().String()); fmt.Fprintln(s, "hello"); s.Close() }()
	s, _ := l.Accept()
	line, _ := bufio.NewReader(s).ReadString('\n')
	fmt.Print("socket ", line)
	name := os.Getenv("HOME") + "/go.tmp"
	os.WriteFile(name, []byte("kept\n"), 0600)
	data, _ := os.ReadFile(name)
	os.Remove(name)
	fmt.Print("file ", string(data))
}
END

my $php = unpacked('php8.2-cgi', 'php8.2-common');
$alice->script("page-$_", "#!$script{$_}[0]\n$script{$_}[1]") for keys %script;

my $httpd = httpd(
    vhosts => [
        $alice->vhost(<<"END", root => 'host', user => 'alice'),
JailMount ro $php /php
    JailEnv REDIRECT_STATUS 200
    JailListen 0
    Timeout 120
END
    ],
);

sub works {
    my ($what, $path) = @_;
    $httpd->mark($alice);
    my $res = $httpd->get($alice, "/cgi-bin/$path");
    is($res->code, 200, "$what: a page") or diag($httpd->log($alice));
    is($res->content, "thread 42\nprocess from a shell\nsocket hello\nfile kept\n",
        "$what: threads, a process, a socket and a file")
      or diag($httpd->log($alice));
    return;
}
for my $what (sort keys %script) {
    SKIP: {
        my ($program) = split / /, $script{$what}[0];
        # Not among those that tools/install-packages installs for the tests.
        skip("$program is not installed", 2)
          if $program !~ m{^/php/} && !-x $program;
        works($what, "page-$what");
    }
}
# A program of Debian's that is written in Go: its run time makes threads, waits for them
# and for its files by futex and epoll, and draws random numbers.
$alice->script('age.sh', <<'END');
#!/bin/sh
printf 'Content-Type: text/plain\n\n'
rm -f "$HOME/key"
age-keygen -o "$HOME/key" 2>"$HOME/said" || cat "$HOME/said"
echo secret | age -e -r "$(age-keygen -y "$HOME/key")" | age -d -i "$HOME/key"
END
is($httpd->get($alice, '/cgi-bin/age.sh')->content, "secret\n", 'go: age')
  or diag($httpd->log($alice));
# What names its caller by 0 works, for itself and for the command that it starts; what
# names a number does not (doc/manual/processes.md).
$alice->script('priorities.sh', <<'END');
#!/bin/sh
printf 'Content-Type: text/plain\n\n'
nice -n 3 nice
ionice -c 3 ionice
taskset 1 taskset -p $$ >/dev/null 2>&1 && echo taskset
chrt -b 0 echo chrt
ulimit -S -n 100 && ulimit -n
prlimit --nofile=90 sh -c 'ulimit -n'
python3 -c 'import os, resource
os.sched_setaffinity(0, os.sched_getaffinity(0))
os.sched_setscheduler(0, os.SCHED_BATCH, os.sched_param(0))
resource.setrlimit(resource.RLIMIT_NOFILE, (80, 80))
print("python", os.nice(2), resource.getrlimit(resource.RLIMIT_NOFILE)[0])
for call in (lambda: os.sched_setaffinity(os.getpid(), {0}),
        lambda: os.setpriority(os.PRIO_USER, 0, 5),
        lambda: resource.prlimit(os.getpid(), resource.RLIMIT_NOFILE, (70, 70))):
    try: print(call())
    except PermissionError as e: print(e.strerror)'
renice -n 5 -p $$ >/dev/null 2>&1 || echo no renice
taskset -p 1 $$ >/dev/null 2>&1 || echo no taskset
END
is($httpd->get($alice, '/cgi-bin/priorities.sh')->content, <<'END', 'priorities and limits')
3
idle
taskset
chrt
100
90
python 2 80
Operation not permitted
Operation not permitted
Operation not permitted
no renice
no taskset
END
  or diag($httpd->log($alice));
SKIP: {
    skip('Go is not installed (its compiler takes 450 MB)', 2)
      if system('sh', '-c', 'command -v go >/dev/null') != 0;
    my $source = work_dir() . '/page.go';
    open my $fh, '>', $source or die $!;
    print {$fh} $go;
    close $fh or die $!;
    local @ENV{qw(GOCACHE HOME CGO_ENABLED)} = (work_dir() . '/go', work_dir(), 0);
    system('go', 'build', '-o', work_dir() . '/page.go.cgi', $source) == 0 or die 'go build';
    $alice->install(work_dir() . '/page.go.cgi', 'page.go');
    works('go', 'page.go');
}
done_testing;
