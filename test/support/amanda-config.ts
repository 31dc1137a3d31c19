import { chmodSync, mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { giveToBackup, type Sandbox } from './sandbox.js';

/** One entry of the disklist. */
export interface Disk {
  /** Its name, which is also its path unless `path` is given. */
  readonly name: string;
  readonly path?: string;
  /** `GNUTAR` (default), or the application `amgtar`. */
  readonly program?: 'GNUTAR' | 'amgtar';
  /** Further lines of its dumptype: `compress client fast`. */
  readonly dumptype?: readonly string[];
}

export interface ConfigurationOptions {
  /** Default `test`. */
  readonly name?: string;
  /** The driver by which the client is reached. */
  readonly auth: string;
  readonly disks: readonly Disk[];
  /** The port of the target; default Amanda's own. */
  readonly clientPort?: number;
  /** The amandad that `local` and `ssh` start; default Amanda's own. */
  readonly amandadPath?: string;
  /** Further lines for every dumptype: `compress client fast`, `ssh-keys "…"`. */
  readonly dumptype?: readonly string[];
  /**
   * Whether dumps after the first may be incremental: a cycle of a week, and the client records
   * what was dumped. Default: each dump is a full one.
   */
  readonly incremental?: boolean;
  /** How dumps are split: lines of the tapetype, and tapes for each run. Default one of 1 GB. */
  readonly tapes?: { readonly tapetype: readonly string[]; readonly runtapes: number };
}

/** A configuration of an Amanda server that backs up this host to files. */
export interface Configuration {
  /** What `amdump NAME` takes. */
  readonly name: string;
  /** Holds `amanda.conf` and `disklist`. */
  readonly directory: string;
  /** The device of the first tape, as `amrestore` takes it. */
  readonly firstTape: string;
  /** The holding disk: what could not go to tape. */
  readonly holding: string;
  readonly logs: string;
  readonly index: string;
}

/** Writes a configuration into a sandbox, where the programs find it by its name. */
export function amandaConfig(sandbox: Sandbox, options: ConfigurationOptions): Configuration {
  const name = options.name ?? 'test';
  const directory = join(sandbox.etc, name);
  const state = join(sandbox.directory, 'server', name);
  const configuration: Configuration = {
    name,
    directory,
    firstTape: `file:${join(state, 'vtapes', 'slot1')}`,
    holding: join(state, 'holding'),
    logs: join(state, 'log'),
    index: join(state, 'index'),
  };
  for (const folder of [
    'curinfo',
    'log',
    'index',
    'holding',
    'vtapes/slot1',
    'vtapes/slot2',
    'vtapes/slot3',
  ])
    mkdirSync(join(state, folder), { recursive: true });
  mkdirSync(directory);
  writeFileSync(join(state, 'tapelist'), '');
  writeFileSync(join(directory, 'amanda.conf'), serverText(name, state, options));
  writeFileSync(join(directory, 'disklist'), options.disks.map(disklistEntry).join(''));
  writeFileSync(join(sandbox.etc, 'amanda-client.conf'), clientText(name, options));
  giveToBackup(sandbox.etc);
  giveToBackup(join(sandbox.directory, 'server'));
  chmodSync(state, 0o750);
  return configuration;
}

function disklistEntry({ name, path = name, program = 'GNUTAR', dumptype = [] }: Disk): string {
  const by = `by-${program.toLowerCase()}`;
  const type = dumptype.length === 0 ? by : `{\n  ${[by, ...dumptype].join('\n  ')}\n}`;
  return `localhost ${quoted(name)} ${quoted(path)} ${type}\n`;
}

function clientText(name: string, { auth, clientPort, amandadPath }: ConfigurationOptions): string {
  return `conf "${name}"
amdump-server "localhost"
index-server "localhost"
tape-server "localhost"
auth "${auth}"
${clientPort === undefined ? '' : `client-port "${clientPort}"`}
${amandadPath === undefined ? '' : `amandad-path ${quoted(amandadPath)}`}
`;
}

function serverText(name: string, state: string, options: ConfigurationOptions): string {
  const { auth, clientPort, amandadPath, dumptype = [], incremental = false } = options;
  const { tapetype = ['length 1 gbytes'], runtapes = 1 } = options.tapes ?? {};
  const lines = [
    ...(clientPort === undefined ? [] : [`client-port "${clientPort}"`]),
    ...(amandadPath === undefined ? [] : [`amandad-path ${quoted(amandadPath)}`]),
    ...dumptype,
  ];
  return `org "${name}"
dumpuser "backup"
mailto ""
infofile "${state}/curinfo"
logdir "${state}/log"
indexdir "${state}/index"
tapelist "${state}/tapelist"
dumpcycle ${incremental ? 7 : 0}
runspercycle 1
tapecycle ${incremental ? 3 : 2}
runtapes ${runtapes}
inparallel 2
maxdumps 2
netusage 8000000 Kbps
etimeout 60
dtimeout 60
ctimeout 30
define changer vtapes {
  tpchanger "chg-disk:${state}/vtapes"
  property "num-slot" "3"
}
tpchanger "vtapes"
amrecover-changer "vtapes"
define tapetype file {
  ${tapetype.join('\n  ')}
  filemark 4 kbytes
}
tapetype file
labelstr "^${name}-[0-9]*$"
autolabel "${name}-%%%" any
define holdingdisk disk {
  directory "${state}/holding"
  use 1000 mb
  chunksize 200 mb
}
holdingdisk disk
define application-tool amgtar {
  plugin "amgtar"
  property "GNUTAR-PATH" "/bin/tar"
  property "GNUTAR-LISTDIR" "/var/lib/amanda/gnutar-lists"
}
define dumptype base {
  auth "${auth}"
  compress none
  index yes
  record ${incremental ? 'yes' : 'no'}
  estimate client
  ${lines.join('\n  ')}
}
define dumptype by-gnutar {
  base
  program "GNUTAR"
}
define dumptype by-amgtar {
  base
  program "APPLICATION"
  application "amgtar"
}
`;
}

function quoted(text: string): string {
  return `"${text.replace(/["\\]/g, '\\$&')}"`;
}
