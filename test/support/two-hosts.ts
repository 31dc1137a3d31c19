import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { keepWhileAlive, killGroup, openSandbox, type Sandbox, type User } from './sandbox.js';

/** The names and addresses of the two hosts. */
export const server = { name: 'server.lab', address: '10.77.0.1' } as const;
export const client = { name: 'client.lab', address: '10.77.0.2' } as const;

/** The /etc/hosts that both hosts begin with. */
export const goodHosts = [
  '127.0.0.1 localhost',
  `${server.address} ${server.name} server`,
  `${client.address} ${client.name} client`,
];

/** A host with a network, a host name and files of its own; a namespace of this machine. */
export interface LabHost {
  /** Amanda's folders of this host. */
  readonly sandbox: Sandbox;
  /** Writes /etc/hosts. */
  hosts(lines: readonly string[]): void;
  /** Writes /etc/resolv.conf: the addresses of name servers. */
  nameServers(...addresses: readonly string[]): void;
  /** Starts a program there as the leader of its own process group; root, unless told otherwise. */
  start(command: string, args: readonly string[], user?: User): ChildProcess;
  /** Runs a short program there; throws when it fails. */
  run(command: string, ...args: readonly string[]): void;
  /** Ends what was started there and still runs. */
  stop(): Promise<void>;
  close(): Promise<void>;
}

/** Two hosts with a cable between them. Needs root. */
export interface TwoHosts {
  readonly server: LabHost;
  readonly client: LabHost;
  close(): Promise<void>;
}

export async function openTwoHosts(): Promise<TwoHosts> {
  const one = await openHost(server.name);
  const two = await openHost(client.name);
  const ends = [
    [one, 'rxa0', server.address],
    [two, 'rxb0', client.address],
  ] as const;
  execFileSync('ip', [
    ...['link', 'add', 'rxa0', 'netns', String(one.pid)],
    ...['type', 'veth', 'peer', 'name', 'rxb0', 'netns', String(two.pid)],
  ]);
  for (const [host, device, address] of ends) {
    // Without it the kernel looks for other hosts with the same IPv6 address, for a second.
    host.run('ip', 'link', 'set', 'lo', 'up');
    host.run('ip', 'addr', 'add', `${address}/24`, 'dev', device);
    host.run('ip', 'link', 'set', device, 'up');
  }
  return {
    server: one,
    client: two,
    async close() {
      await Promise.all([one.close(), two.close()]);
    },
  };
}

/** Keeps the namespaces, with the files of the host at their places. */
const holdScript = `
set -e
files=$1 name=$2 home=$3 etc=$4 lib=$5 log=$6
hostname "$name"
mount --bind "$files/hosts" /etc/hosts
mount --bind "$files/resolv.conf" /etc/resolv.conf
mount --bind "$home" /var/backups
mount --bind "$etc" /etc/amanda
mount --bind "$lib" /var/lib/amanda
mount --bind "$log" /var/log/amanda
echo ready
exec sleep infinity`;

async function openHost(name: string): Promise<LabHost & { readonly pid: number }> {
  const sandbox = openSandbox();
  const files = join(sandbox.directory, 'files');
  mkdirSync(files);
  const write = (file: string, lines: readonly string[]): void => {
    writeFileSync(join(files, file), lines.map((line) => `${line}\n`).join(''));
  };
  write('hosts', goodHosts);
  write('resolv.conf', []);
  const holder = spawn(
    'unshare',
    [
      ...['--net', '--uts', '--mount', '--propagation', 'private'],
      ...['/bin/sh', '-c', holdScript, 'sh', files, name],
      ...[sandbox.home, sandbox.etc, sandbox.lib, sandbox.log],
    ],
    { stdio: ['ignore', 'pipe', 'inherit'], detached: true },
  );
  await once(holder.stdout, 'data');
  const pid = holder.pid ?? 0;
  const enter = ['-t', String(pid), '--net', '--uts', '--mount', '--'];
  const children = new Set<ChildProcess>();
  const host = {
    sandbox,
    pid,
    hosts: (lines: readonly string[]) => write('hosts', lines),
    nameServers: (...addresses: readonly string[]) =>
      write('resolv.conf', [
        ...addresses.map((address) => `nameserver ${address}`),
        'options timeout:2 attempts:1',
      ]),
    start(command: string, args: readonly string[], user: User = 'root') {
      const become =
        user === 'root' ? [] : ['setpriv', '--reuid', user, '--regid', user, '--init-groups', '--'];
      const child = spawn('nsenter', [...enter, ...become, command, ...args], {
        cwd: '/',
        detached: true,
        stdio: ['ignore', 'pipe', 'pipe'],
        env: {
          HOME: user === 'root' ? '/root' : '/var/backups',
          PATH: '/usr/sbin:/usr/bin:/sbin:/bin',
          USER: user,
          LOGNAME: user,
        },
      });
      keepWhileAlive(children, child);
      return child;
    },
    run(command: string, ...args: readonly string[]) {
      execFileSync('nsenter', [...enter, command, ...args], { cwd: '/' });
    },
    async stop() {
      const alive = [...children].filter(
        ({ exitCode, signalCode }) => exitCode === null && signalCode === null,
      );
      const ended = alive.map((child) => once(child, 'exit'));
      for (const child of children) killGroup(child);
      children.clear();
      await Promise.all(ended);
    },
    async close() {
      await host.stop();
      killGroup(holder);
      sandbox.close();
    },
  };
  return host;
}
