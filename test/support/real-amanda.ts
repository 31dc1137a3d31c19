import { spawnSync } from 'node:child_process';
import { networkInterfaces } from 'node:os';
import {
  openSandbox,
  type RunOptions,
  type RunResult,
  type Sandbox,
  whyNoSandbox,
} from './sandbox.js';
import { describeUnless, missingPrograms } from './skips.js';
import { spawnTarget, type Target, type TargetCommand } from './inetd.js';
import { amandaConfig, type Configuration, type ConfigurationOptions } from './amanda-config.js';

export type { Configuration, ConfigurationOptions, Disk } from './amanda-config.js';
export type { Served, Target, TargetCommand } from './inetd.js';
export type { RunOptions, RunResult, Sandbox, User } from './sandbox.js';
export { everyone } from './sandbox.js';
export { oddTree, treeDigest, treeLines } from './odd-tree.js';

/** Where Debian puts the programs that interop tests use. */
export const programs = {
  amandad: '/usr/lib/amanda/amandad',
  amservice: '/usr/sbin/amservice',
  amcheck: '/usr/sbin/amcheck',
  amdump: '/usr/sbin/amdump',
  amadmin: '/usr/sbin/amadmin',
  amreport: '/usr/sbin/amreport',
  amrestore: '/usr/sbin/amrestore',
  amrecover: '/usr/sbin/amrecover',
  amfetchdump: '/usr/sbin/amfetchdump',
  xinetd: '/usr/sbin/xinetd',
  sshd: '/usr/sbin/sshd',
} as const;

export type ProgramName = keyof typeof programs;

/** The programs that are written in Perl, or start others that are. */
const inPerl: readonly ProgramName[] = [
  'amcheck',
  'amdump',
  'amreport',
  'amrestore',
  'amfetchdump',
  'amrecover',
];

/**
 * Why tests with these programs cannot run here, as the end of a sentence; undefined when they can.
 */
export function whyNotReal(...needed: readonly ProgramName[]): string | undefined {
  const missing = missingPrograms(...needed.map((name) => programs[name]));
  if (missing !== undefined) return missing;
  if (
    needed.some((name) => inPerl.includes(name)) &&
    spawnSync('perl', ['-MEncode::Locale', '-e', '1']).status !== 0
  ) {
    return 'the Perl module Encode::Locale is missing (Debian: libencode-locale-perl)';
  }
  // Amanda looks up names with AI_ADDRCONFIG, which finds nothing on a host that has only its
  // loopback.
  const hasAddress = Object.values(networkInterfaces()).some((addresses) =>
    addresses?.some(({ internal, family }) => !internal && family === 'IPv4'),
  );
  if (!hasAddress)
    return 'this host has no IPv4 address besides 127.0.0.1, so real Amanda resolves no name';
  return whyNoSandbox();
}

/**
 * Tests with these real programs; where they cannot run they are skipped, by name and with the
 * reason.
 */
export function describeReal(
  title: string,
  needed: readonly ProgramName[],
  tests: () => void,
): void {
  describeUnless(whyNotReal(...needed), title, tests);
}

/** A sandbox and what interop tests do in it. */
export interface Lab {
  readonly sandbox: Sandbox;
  /** Listens on a free port of 127.0.0.1 and starts the program for each connection. */
  spawnTarget(command: TargetCommand): Promise<Target>;
  /** Runs a program as Amanda's user, with a clean environment. */
  asBackup(
    command: string,
    args: readonly string[],
    options?: Omit<RunOptions, 'user'>,
  ): Promise<RunResult>;
  /** The same as root, for amrecover. */
  asRoot(
    command: string,
    args: readonly string[],
    options?: Omit<RunOptions, 'user'>,
  ): Promise<RunResult>;
  configure(options: ConfigurationOptions): Configuration;
  /** Ends everything and removes all files. */
  close(): Promise<void>;
}

/** Opens a lab; the caller closes it. */
export function openLab(): Lab {
  const sandbox = openSandbox();
  const targets: Target[] = [];
  return {
    sandbox,
    async spawnTarget(command) {
      const target = await spawnTarget(sandbox, command);
      targets.push(target);
      return target;
    },
    asBackup: (command, args, options) =>
      sandbox.run(command, args, { ...options, user: 'backup' }),
    asRoot: (command, args, options) => sandbox.run(command, args, { ...options, user: 'root' }),
    configure: (options) => amandaConfig(sandbox, options),
    async close() {
      await Promise.all(targets.map((target) => target.close()));
      sandbox.close();
    },
  };
}
