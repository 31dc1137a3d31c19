/**
 * A service process writes to its DATA descriptor, amandad makes frames, and a socket reads them.
 * All cases run the same child in a mount namespace, in place of the service `restore`.
 * The last case runs it as sendbackup, whose data our target holds until it is described.
 * The reader is always this process, with one buffer.
 */
import { chmodSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { connect } from 'node:net';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { encodeFrame, encodePacket, packet } from '../../dist/wire/index.js';
import { descendants, memoryOf } from '../processes.mjs';
import { AMANDAD, forkingTarget, whyNoRealAmandad } from '../real-amandad.mjs';

const OURS =
  process.env.RX_AMANDAD ??
  fileURLToPath(new URL('../../dist/bin/rx-amandad.cjs', import.meta.url));
const WRITE_BYTES = 32_768;
/** Each write repeats one of so many characters in turn, from `!` on, so that damage is seen. */
const CHARACTERS = 90;

/** A service in Perl, which every Debian has. One process writes to each stream. */
const child = (writes, streams) => `#!/usr/bin/perl
my @names = $0 =~ /sendbackup/ ? ('DATA', 'MESG') : map { "DATA$_" } 1 .. ${streams};
my $count = $0 =~ /sendbackup/ ? 1 : ${streams};
$| = 1;
print 'CONNECT ' . join(' ', map { "$names[$_] " . (150 + $_) } 0 .. $#names) . "\\nOPTIONS features=ff;\\n";
close STDOUT;
close STDERR;
if ($0 =~ /sendbackup/) { open my $mesg, '>&=', 152; syswrite $mesg, "sendbackup: info end\\n"; close $mesg; }
for my $stream (0 .. $count - 1) {
  next if $stream < $count - 1 && fork;
  open my $data, '>&=', 150 + 2 * $stream;
  my @bytes = map { chr(33 + $_) x ${WRITE_BYTES} } 0 .. ${CHARACTERS - 1};
  for (0 .. ${writes - 1}) { syswrite $data, $bytes[$_ % ${CHARACTERS}] or exit 1 }
  exit;
}
`;

export const name = 'service';

const columns = [
  { key: 'rate', label: 'GB/s' },
  { key: 'cpu', label: 'relay CPU s/GB', digits: 3 },
  { key: 'rss', label: "relay's peak RSS MiB", digits: 0 },
];

export function groups({ gib }) {
  return [1, 3].map((streams) => group(gib, streams));
}

function group(gib, streams) {
  const missing = whyNoRealAmandad();
  const bytes = Math.round((gib * 2 ** 30) / streams / WRITE_BYTES) * WRITE_BYTES * streams;
  const ours = [process.execPath, OURS, '-auth=bsdtcp'];
  const cases = [
    { name: 'C amandad 3.5.1', command: [AMANDAD, '-auth=bsdtcp', 'restore'], service: 'restore' },
    { name: 'rx-amandad', command: [...ours, 'restore'], service: 'restore' },
    ...(streams === 1
      ? [
          {
            name: 'rx-amandad, as sendbackup',
            command: [...ours, 'sendbackup'],
            service: 'sendbackup',
          },
        ]
      : []),
  ];
  return {
    title: `Child to amandad to TCP, ${streams === 1 ? 'one stream' : `${streams} streams`}, ${gib} GiB in writes of 32 KiB`,
    columns,
    cases: cases.map(({ name, ...how }) => ({
      name,
      ...(missing === undefined ? { run: () => run({ ...how, bytes, streams }) } : { missing }),
    })),
  };
}

async function run({ command, service, bytes, streams }) {
  const folder = mkdtempSync('/tmp/rx-amanda-bench-');
  const executable = join(folder, service);
  writeFileSync(executable, child(bytes / streams / WRITE_BYTES, streams));
  chmodSync(folder, 0o755);
  chmodSync(executable, 0o755);
  const target = await forkingTarget({
    user: 'root',
    command: withService(executable, service, command),
  });
  try {
    const { seconds, usage } = await read(
      target,
      service,
      service === 'sendbackup' ? 2 : streams,
      bytes,
    );
    return {
      rate: bytes / seconds / 1e9,
      cpu: usage.cpu / (bytes / 1e9),
      rss: usage.rss / 2 ** 20,
    };
  } finally {
    await target.close();
    rmSync(folder, { recursive: true, force: true });
  }
}

/**
 * Puts the child where amandad looks for the service and lets its requester use it.
 * The last shell becomes amandad, with the process id of the first.
 */
function withService(executable, service, command) {
  const script = `
mount --bind ${executable} /usr/lib/amanda/${service} || exit 125
echo 'localhost root ${service}' >/var/backups/.amandahosts
exec setpriv --reuid backup --regid backup --init-groups "$@"`;
  return [
    '/usr/bin/unshare',
    '--mount',
    '--propagation',
    'private',
    '/bin/sh',
    '-c',
    script,
    'sh',
    ...command,
  ];
}

const HANDLE = 1;
const frame = (type, text) =>
  Buffer.from(
    encodeFrame({ handle: HANDLE, payload: encodePacket(packet(type, Buffer.from(text))) }),
  );
const REP = encodePacket(packet('REP', Buffer.alloc(0)))[0];

/**
 * Requests the service, counts the bytes of its streams until each closes, and checks the first
 * byte of each frame.
 * The time starts at the ACK of the reply.
 */
function read(target, service, streams, expected) {
  return new Promise((resolve, reject) => {
    let open = streams;
    let received = 0;
    let started;
    let before;
    let relay;
    /** The bytes that came on each handle. */
    const places = new Map();
    const frames = frameWalker((handle, length, first) => {
      if (handle === HANDLE && first === REP) {
        [relay] = descendants(target.pid);
        before = usageOf(relay);
        started = process.hrtime.bigint();
        socket.write(frame('ACK', ''));
      } else if (handle > HANDLE) {
        received += length;
        const place = places.get(handle) ?? 0;
        places.set(handle, place + length);
        const isMessage = length > 0 && place === 0 && length < 100;
        const expectedByte = 33 + (Math.floor(place / WRITE_BYTES) % CHARACTERS);
        if (length > 0 && !isMessage && first !== expectedByte) {
          socket.destroy(new Error(`byte ${place} on handle ${handle} is damaged`));
        }
        if (length > 0 || --open > 0) return;
        const seconds = Number(process.hrtime.bigint() - started) / 1e9;
        const { cpu, rss } = usageOf(relay);
        const right =
          service === 'sendbackup' ? received - 'sendbackup: info end\n'.length : received;
        if (right === expected) resolve({ seconds, usage: { cpu: cpu - before.cpu, rss } });
        else reject(new Error(`${received} bytes came instead of ${expected}`));
        socket.destroy();
      }
    });
    const onread = {
      buffer: Buffer.allocUnsafeSlow(262_144),
      callback: (length, buffer) => {
        frames(buffer, length);
        return true;
      },
    };
    const socket = connect({
      host: '127.0.0.1',
      port: target.port,
      localAddress: '127.0.0.1',
      localPort: reservedPort(),
      onread,
    });
    socket
      .on('error', reject)
      .on('close', () =>
        reject(new Error(`amandad closed the connection after ${received} bytes`)),
      );
    socket.write(frame('REQ', `SECURITY USER root\nSERVICE ${service}\nOPTIONS features=ff;\n`));
  });
}

let lastPort = 1023;
function reservedPort() {
  lastPort = lastPort <= 768 ? 1023 : lastPort - 1;
  return lastPort;
}

/** Calls back with handle, length and first byte of each frame; the bytes may be cut anywhere. */
function frameWalker(onFrame) {
  const header = Buffer.alloc(9);
  let fill = 0;
  let skip = 0;
  return (bytes, end) => {
    for (let at = 0; at < end;) {
      if (skip > 0) {
        const step = Math.min(skip, end - at);
        skip -= step;
        at += step;
        continue;
      }
      header[fill++] = bytes[at++];
      const length = fill < 8 ? -1 : header.readUInt32BE(0);
      if (fill < 8 || (fill === 8 && length > 0)) continue;
      const handle = header.readUInt32BE(4);
      skip = Math.max(0, length - 1);
      fill = 0;
      onFrame(handle, length, length > 0 ? header[8] : undefined);
    }
  };
}

/** Processor time of a process without its children, and its peak memory. */
function usageOf(pid) {
  const text = readFileSync(`/proc/${pid}/stat`, 'utf8');
  const [utime, stime] = text
    .slice(text.lastIndexOf(')') + 2)
    .split(' ')
    .slice(11, 13)
    .map(Number);
  return { cpu: (utime + stime) / 100, rss: memoryOf(pid, 'VmHWM') };
}
