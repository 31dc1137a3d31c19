import { once } from 'node:events';
import { keepWhileAlive, killGroup, type Sandbox } from './sandbox.js';
import type { TargetCommand } from './inetd.js';

/** A UDP port that starts a program for each datagram. */
export interface UdpTarget {
  /** On 127.0.0.1. */
  readonly port: number;
  /** What inetd says: a line `start PID` and a line `end PID STATUS` for every program. */
  messages(): string;
  close(): Promise<void>;
}

/**
 * What inetd does for `wait`. If a datagram waits and no program runs, it starts the program with
 * the UDP socket itself as standard input and output. Node cannot wait for a datagram without
 * reading it.
 */
const script = String.raw`
use strict; use warnings; use Socket; use POSIX ();
$| = 1;
socket(my $udp, PF_INET, SOCK_DGRAM, 0) or die "socket: $!";
bind($udp, pack_sockaddr_in(0, inet_aton('127.0.0.1'))) or die "bind: $!";
my ($port) = unpack_sockaddr_in(getsockname($udp));
print "port $port\n";
while (1) {
  my $waiting = ''; vec($waiting, fileno($udp), 1) = 1;
  select($waiting, undef, undef, undef) > 0 or next;
  my $pid = fork();
  if ($pid == 0) {
    POSIX::dup2(fileno($udp), 0); POSIX::dup2(fileno($udp), 1);
    chdir '/'; exec { $ARGV[0] } @ARGV; die "exec: $!";
  }
  print "start $pid\n";
  waitpid($pid, 0);
  print "end $pid $?\n";
}`;

export async function spawnUdpTarget(
  sandbox: Sandbox,
  { command, args = [], ...options }: TargetCommand,
): Promise<UdpTarget> {
  const child = sandbox.start('/usr/bin/perl', ['-e', script, '--', command, ...args], {
    ...options,
    cwd: '/',
  });
  const children = new Set([child]);
  keepWhileAlive(children, child);
  let said = '';
  child.stderr?.on('data', (text: Buffer) => (said += text.toString()));
  const port = await new Promise<number>((resolve, reject) => {
    child.once('exit', () => reject(new Error(`the UDP inetd ended: ${said}`)));
    child.stdout?.on('data', (text: Buffer) => {
      said += text.toString();
      const [, number] = /^port (\d+)$/m.exec(said) ?? [];
      if (number !== undefined) resolve(Number(number));
    });
  });
  return {
    port,
    messages: () => said,
    async close() {
      const ended =
        child.exitCode === null && child.signalCode === null
          ? once(child, 'exit')
          : Promise.resolve();
      killGroup(child);
      await ended;
    },
  };
}
