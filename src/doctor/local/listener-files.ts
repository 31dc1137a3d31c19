import { basename } from 'node:path';
import { wordsOf } from '../../wire/text.js';
import type { SystemFiles } from './system-files.js';

/** Something that is configured to start an amandad. */
export interface ConfiguredListener {
  readonly by: 'xinetd' | 'inetd' | 'systemd';
  /** The file that says so. */
  readonly file: string;
  readonly isDisabled: boolean;
  readonly protocol: 'tcp' | 'udp';
  readonly waits: boolean;
  readonly user: string;
  readonly server: string;
  readonly args: readonly string[];
  /** The peers that xinetd admits; empty for all. */
  readonly onlyFrom: readonly string[];
  /** Whether programs with set-user-ID stay without rights. */
  readonly hasNoNewPrivileges: boolean;
  /** The port or the name of the service. */
  readonly service: string;
}

/** All that starts an amandad, by the files of xinetd, inetd and systemd. */
export function configuredListeners(files: SystemFiles): readonly ConfiguredListener[] {
  return [...xinetdListeners(files), ...inetdListeners(files), ...systemdListeners(files)].filter(
    ({ server, args }) => isAmandad(server) || args.some((word) => isAmandad(word)),
  );
}

function isAmandad(path: string): boolean {
  return /^(rx-)?amandad(\.cjs)?$/.test(basename(path));
}

function xinetdListeners(files: SystemFiles): readonly ConfiguredListener[] {
  const main = '/etc/xinetd.conf';
  const text = files.text(main);
  if (text === undefined) return [];
  const folders = [...text.matchAll(/^\s*includedir\s+(\S+)/gm)].map(([, folder = '']) => folder);
  // xinetd skips names with a dot, and copies of editors.
  const included = folders
    .flatMap((folder) => files.list(folder))
    .filter((path) => !/[.~]/.test(basename(path)));
  const defaults = attributesOf(/^\s*defaults\s*\{([^}]*)\}/m.exec(text)?.[1] ?? '');
  return [main, ...included].flatMap((file) =>
    [...(files.text(file) ?? '').matchAll(/^\s*service\s+(\S+)\s*\{([^}]*)\}/gm)].map(
      ([, service = '', body = '']) => fromXinetd(file, service, attributesOf(body), defaults),
    ),
  );
}

type Attributes = ReadonlyMap<string, readonly string[]>;

function attributesOf(body: string): Attributes {
  const found = new Map<string, readonly string[]>();
  for (const line of body.split('\n')) {
    const [, name = '', how = '', value = ''] =
      /^\s*([a-z_]+)\s*([-+]?=)\s*(.*?)\s*$/.exec(line) ?? [];
    if (name === '') continue;
    const words = wordsOf(value);
    found.set(name, how === '+=' ? [...(found.get(name) ?? []), ...words] : words);
  }
  return found;
}

function fromXinetd(
  file: string,
  service: string,
  attributes: Attributes,
  defaults: Attributes,
): ConfiguredListener {
  const one = (name: string): string => attributes.get(name)?.[0] ?? '';
  const disabled = defaults.get('disabled') ?? [];
  return {
    by: 'xinetd',
    file,
    isDisabled: one('disable') === 'yes' || disabled.includes(one('id') || service),
    protocol: one('socket_type') === 'dgram' || one('protocol') === 'udp' ? 'udp' : 'tcp',
    waits: one('wait') === 'yes',
    user: one('user'),
    server: one('server'),
    args: attributes.get('server_args') ?? [],
    onlyFrom: attributes.get('only_from') ?? defaults.get('only_from') ?? [],
    hasNoNewPrivileges: false,
    service: one('port') || service,
  };
}

function inetdListeners(files: SystemFiles): readonly ConfiguredListener[] {
  const file = '/etc/inetd.conf';
  return (files.text(file) ?? '').split('\n').flatMap((line) => {
    const isDisabled = /^\s*#\s*(<off>#\s*)?/.test(line);
    const [service = '', type = '', protocol = '', wait = '', user = '', server = '', , ...args] =
      wordsOf(line.replace(/^\s*#\s*(<off>#\s*)?/, ''));
    if (!['stream', 'dgram'].includes(type)) return [];
    return [
      {
        by: 'inetd' as const,
        file,
        isDisabled,
        protocol: protocol.startsWith('udp') ? ('udp' as const) : ('tcp' as const),
        waits: wait.startsWith('wait'),
        user: user.split(/[.:]/)[0] ?? '',
        server,
        args,
        onlyFrom: [],
        hasNoNewPrivileges: false,
        service,
      },
    ];
  });
}

/** The folders of units, the ones that count first. */
const unitFolders = [
  '/etc/systemd/system',
  '/run/systemd/system',
  '/usr/local/lib/systemd/system',
  '/usr/lib/systemd/system',
  '/lib/systemd/system',
];

function systemdListeners(files: SystemFiles): readonly ConfiguredListener[] {
  const seen = new Set<string>();
  return unitFolders
    .flatMap((folder) => files.list(folder))
    .filter((file) => {
      const isFirst = file.endsWith('.service') && !seen.has(basename(file));
      seen.add(basename(file));
      return isFirst;
    })
    .flatMap((file) => {
      const text = [file, ...dropIns(file, files)].map((one) => files.text(one) ?? '').join('\n');
      const value = (name: string): string =>
        [...text.matchAll(new RegExp(`^\\s*${name}\\s*=\\s*(.*?)\\s*$`, 'gm'))].at(-1)?.[1] ?? '';
      const [server = '', ...args] = wordsOf(value('ExecStart').replace(/^[-@:+!]+/, ''));
      if (![server, ...args].some(isAmandad)) return [];
      const socket = files.text(file.replace(/@?\.service$/, '.socket')) ?? '';
      const isUdp = /^\s*ListenDatagram\s*=/m.test(socket);
      const [, port = ''] = /^\s*Listen(?:Stream|Datagram)\s*=\s*(\S+)/m.exec(socket) ?? [];
      return [
        {
          by: 'systemd' as const,
          file,
          isDisabled: false,
          protocol: isUdp ? ('udp' as const) : ('tcp' as const),
          waits: true,
          user: value('User') || 'root',
          server,
          args,
          onlyFrom: [],
          hasNoNewPrivileges: isYes(value('NoNewPrivileges')) || isYes(value('DynamicUser')),
          service: port.replace(/^.*:/, '') || 'amanda',
        },
      ];
    });
}

/** The files that add to a unit, in the order in which they count. */
function dropIns(unit: string, files: SystemFiles): readonly string[] {
  const name = basename(unit);
  return unitFolders
    .flatMap((folder) => files.list(`${folder}/${name}.d`))
    .filter((file) => file.endsWith('.conf'))
    .toSorted((one, other) => (basename(one) < basename(other) ? -1 : 1));
}

function isYes(value: string): boolean {
  return /^(yes|true|on|1)$/i.test(value);
}

/** The number of the port that a listener names, by /etc/services. */
export function portOf({ service, protocol }: ConfiguredListener, files: SystemFiles): number {
  if (/^\d+$/.test(service)) return Number(service);
  const pattern = new RegExp(`^${service.replace(/\W/g, '\\$&')}\\s+(\\d+)/${protocol}\\b`, 'm');
  return Number(pattern.exec(files.text('/etc/services') ?? '')?.[1] ?? 10_080);
}

/** Whether a program listens on a port, by /proc/net; undefined without that file. */
export function isListening(
  port: number,
  protocol: 'tcp' | 'udp',
  files: SystemFiles,
): boolean | undefined {
  const tables = [protocol, `${protocol}6`].flatMap(
    (name) => files.text(`/proc/net/${name}`) ?? [],
  );
  if (tables.length === 0) return undefined;
  const hex = port.toString(16).toUpperCase().padStart(4, '0');
  // 0A is the state of a listening TCP socket, 07 that of a bound UDP socket.
  const state = protocol === 'tcp' ? '0A' : '07';
  return tables.some((table) => new RegExp(`:${hex} [0-9A-F]+:[0-9A-F]{4} ${state} `).test(table));
}
