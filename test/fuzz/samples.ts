import { readFileSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { conversation, conversationNames, capturesDirectory } from '../support/captures.js';
import { words } from './bytes.js';
import { pcapngs, recordings, tcpCaptures } from './saved-samples.js';

/** What was recorded in each direction of each conversation. */
export const directions = conversationNames().flatMap((name) =>
  Object.values(conversation(name).bytes).filter(({ length }) => length > 0),
);

/** Payloads of the recorded frames: packets, and the bytes of streams. */
const framed = directions.flatMap(payloadsOf);

/** These, and what follows the first byte of each, which of a packet is its body. */
export const payloads = framed.flatMap((payload) => [payload, payload.subarray(1)]);

/** Recordings of packets. */
export const pcaps = readdirSync(capturesDirectory)
  .filter((name) => name.endsWith('.pcap'))
  .map((name) => new Uint8Array(readFileSync(join(capturesDirectory, name))));

/** Words that mean something to one decoder or another. */
export const texts = words.map(bytesOf);

const bodies = (type: number): readonly string[] =>
  unique(
    framed
      .filter(([first]) => first === type)
      .map((payload) => textOf(payload.subarray(1)).split('\0', 1)[0] ?? ''),
  );
const requests = bodies(0).filter((body) => body.includes('SERVICE '));
const withoutUser = unique(requests.map((body) => body.replace(/^SECURITY USER .*\n/, '')));
const dleTexts = unique(withoutUser.flatMap((body) => body.match(/<dle>[^]*<\/dle>/) ?? []));
const dumpRequests = withoutUser
  .filter((body) => body.startsWith('SERVICE sendbackup'))
  .map((body) => body.slice(body.indexOf('\n') + 1));
const replies = bodies(1);
const optionLines = unique(
  [...requests, ...replies].flatMap((body) => body.match(/^OPTIONS .*$/m) ?? []),
);
const streamed = unique(framed.map(textOf));
const noTlsTexts = [
  'HTTP/1.1 400 Bad Request\r\n\r\n',
  'SSH-2.0-OpenSSH_9.2\r\n',
  '\0\0\0\x02\0\0\0\x01\x03\0',
];

/** Of both kinds; with UDP, and with TCP that is in order and that is not. */
const captures = [...pcaps, ...tcpCaptures, ...pcapngs(pcaps)].map(front);

/**
 * What a decoder reads without a complaint, or nearly so, by its name: mutated, it gets further
 * than bytes by chance.
 */
export const samples: Readonly<Record<string, readonly Uint8Array[]>> = {
  frames: directions.map(front),
  packet: framed.map(front),
  ...named(['request', 'SECURITY line'], requests),
  ...named(['request without a user', 'SERVICE line'], withoutUser),
  ...named(
    ['reply', 'CONNECT line of a service', 'refusal'],
    [...replies, ...bodies(2), ...bodies(4)],
  ),
  ...named(['options'], optionLines),
  ...named(['features'], ['ffffffff9efefbfffffffffffffff3fffbf71f', 'ff', '0123456789abcdef']),
  ...named(['DLEs'], dleTexts),
  ...named(
    ['request for a dump', 'shared memory'],
    [
      ...dumpRequests,
      ...dumpRequests.map((text) => text.replace(';', ';data-shm-control-name=/amanda-1-2;')),
    ],
  ),
  ...named(['header of a dump'], [dumpHeader()]),
  ...named(
    ['datagram'],
    requests.map(
      (body, at) => `Amanda 3.5 REQ HANDLE 000-0000000${at % 10} SEQ ${at * 7_919}\n${body}`,
    ),
  ),
  ...named(['quoted words'], ['/home 0 SIZE 100', '"a b\\n\\303\\274" x ""', '"\\\\" y']),
  ...named(['checksum'], ['0cda24b5:10240', '00000000:0']),
  ...named(
    ['messages of a dump'],
    streamed.filter((text) => text.includes('sendbackup: ')),
  ),
  ...named(
    ['lines', 'index', 'text for people'],
    streamed.filter((text) => text.includes('\n') && text.length < 2_000),
  ),
  ...named(
    ['answer to noop', 'answer to selfcheck', 'answer to sendsize', 'answer to sendbackup'],
    replies,
  ),
  ...named(
    ['file of hosts'],
    [
      '127.0.0.1 localhost\n::1 localhost ip6-localhost\n10.0.0.1 one.lab one # first\n::ffff:10.0.0.1 one',
      'hosts: files [NOTFOUND=return] dns\n',
    ],
  ),
  ...named(
    ['.amandahosts'],
    [
      'localhost backup amdump\nlocalhost root amindexd amidxtaped\n127.0.0.1\n',
      'db1.example.com\tbackup noop,sendsize',
    ],
  ),
  ...named(
    ['fingerprints'],
    [`SHA1 Fingerprint=${'AB:'.repeat(19)}CD\n`, `MD5 Fingerprint=${'01:'.repeat(15)}02\n`],
  ),
  ...named(
    ['configuration'],
    [
      'auth "ssl"\nctimeout 30\ndefine dumptype a {\n  program "GNUTAR"\n  index yes\n}\ndefine dumptype b {\n a\n compress none }\n',
    ],
  ),
  ...named(
    ['disklist'],
    [
      'localhost /home a\ndb1 data /srv/data {\n  a\n  exclude "./tmp"\n} 1 local\nincludefile "other"\n',
    ],
  ),
  ...named(['what sshd says'], ['192.0.2.7 50022 192.0.2.1 22', '::1 1 ::1 22']),
  ...named(
    ['words of rx-amanda'],
    [
      ...[
        'dump localhost /home -o - --level 1 --no-config',
        'service localhost noop -s --features ff --auth bsd',
        'noop db1 --auth ssh --ssh-key k --timeout 3',
      ],
      ...[
        '10081 db1:10080 --svg a --json b --web 0 --count 3',
        '--local --log a -- amandad -auth=local',
        'a.pcap --frames --json --connection 2 --width 60',
      ],
      ...[
        '/home --option auth=ssl --dumptype a --config b --quiet',
        'a b --stream DATA=file --port 10080',
      ],
    ].map((text) => text.replaceAll(' ', '\0')),
  ),
  ...named(
    ['words of rx-amandad'],
    [
      '-auth=bsdtcp -no-exit -tcp=10080 -own amdump',
      '-auth=ssl -ssl-dir=/a -idle=30 -max-handles=3 -grace=0',
    ].map((text) => text.replaceAll(' ', '\0')),
  ),
  ...named(
    ['places of a tap'],
    ['10081', ':10081', '127.0.0.1:10081', '[::1]:10081', 'db1.example.com:10080', '::1'],
  ),
  ...named(
    ['an overriding setting'],
    [
      'auth=ssl',
      'dumptype:a:index=yes',
      'ctimeout=30',
      'client-port="amanda"',
      'exclude=list "a" "b"',
    ],
  ),
  ...named(
    ['port by name'],
    [
      'amanda\0amanda 10080/tcp # x\namanda 10080/udp\nkamanda 10081/tcp a b c\n',
      '10080',
      'kamanda\0kamanda\t10081/tcp',
    ],
  ),
  ...named(
    ['what tar says'],
    [
      'Total bytes written: 10240 (10KiB, 1MiB/s)\n/bin/tar: ./a: socket ignored\nElapsed time: 3\n',
    ],
  ),
  ...named(
    ['request for the page'],
    [
      '/token/\0localhost:8080\x000',
      '/token/events\x00127.0.0.1\x0012',
      '/token/svg?connection=1&from=0&to=9\0[::1]:1',
    ],
  ),
  ...named(
    ['end of the description'],
    streamed.filter((text) => text.includes('sendbackup: ')),
  ),
  capture: captures,
  'a capture, drawn': captures,
  'a recording, drawn': recordings,
  'steps of a recording': recordings.map((bytes) => bytes.subarray(bytes.indexOf(10) + 1)),
  'bytes beside the connection': directions.map(front),
  ...named(['sockets of systemd'], ['1\n', `1\n${process.pid}`, '2\n1']),
  ...named(['no TLS'], noTlsTexts),
};

function named(
  names: readonly string[],
  from: readonly string[],
): Record<string, readonly Uint8Array[]> {
  const bytes = unique(from).map(bytesOf);
  return Object.fromEntries(names.map((name) => [name, bytes]));
}

/** One character a byte. */
function bytesOf(text: string): Uint8Array {
  return new Uint8Array(Buffer.from(text, /^[\0-\xff]*$/.test(text) ? 'latin1' : 'utf8'));
}

function textOf(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString('latin1');
}

function unique(some: readonly string[]): readonly string[] {
  return [...new Set(some)].filter((text) => text.length > 0);
}

/** As much as is quick to read; in what is longer comes the same again. */
function front(bytes: Uint8Array): Uint8Array {
  return bytes.subarray(0, 3_000);
}

/** As Amanda writes one, by hand. */
function dumpHeader(): string {
  const lines = [
    'AMANDA: FILE 20261124021500 localhost "/home/a b" lev 0 comp N program /bin/tar',
    'ORIGSIZE=10',
    'NATIVE-CRC=0cda24b5:10240',
    'CLIENT-CRC=0cda24b5:10240',
    'DLE=<<ENDDLE',
    '<dle>\n  <program>GNUTAR</program>\n  <disk>/home/a b</disk>\n</dle>',
    'ENDDLE',
    'To restore, position tape at start of file and run:',
    '\tdd if=<tape> bs=32k skip=1 | /bin/tar -xpGf - ...\n\f\n',
  ];
  return lines.join('\n').padEnd(32_768, '\0');
}

/** As far as they are whole. */
function payloadsOf(bytes: Uint8Array): readonly Uint8Array[] {
  const found: Uint8Array[] = [];
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  for (let at = 0; at + 8 <= bytes.length;) {
    const length = view.getUint32(at);
    if (at + 8 + length > bytes.length) break;
    if (length > 0) found.push(bytes.subarray(at + 8, at + 8 + length));
    at += 8 + length;
  }
  return found;
}
