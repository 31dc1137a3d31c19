// Installs the real Amanda, and what the interop tests need beside it: only as root, on Debian or a
// system made of it. Elsewhere it says so, and the tests that need a program are skipped by name.
//
// It changes on the machine, each only if it is not so yet:
//   - Debian packages (below) are installed; none of their daemons is started;
//   - user backup gets a login shell instead of nologin, because sshd runs its command through it;
//   - user backup joins the groups disk and tape, as amanda-common does it;
//   - the folders that Amanda's programs expect are made.
// It configures nothing: the tests mount folders of their own where Amanda looks for files.
import { chown, mkdir, rm, writeFile } from 'node:fs/promises';
import { existsSync } from 'node:fs';
import { run, say } from './tools.mjs';

/** Amanda's Perl programs need libencode-locale-perl, and its packages do not ask for it. */
const PACKAGES = [
  'amanda-common',
  'amanda-client',
  'amanda-server',
  'libencode-locale-perl',
  'openssh-client',
  'openssh-server',
  'openssl',
  'xinetd',
  'tar',
  'gzip',
  // The example that dumps a database.
  'postgresql',
  // They draw the web page of a tap, and save a capture of it.
  'chromium',
  'tcpdump',
];
const FOLDERS = [
  '/etc/amanda',
  '/var/lib/amanda',
  '/var/lib/amanda/gnutar-lists',
  '/var/log/amanda',
  '/tmp/amanda',
];

/** Installs what is missing. Resolves to a sentence about a failure, else to undefined. */
export async function installRealPrograms() {
  const failure = await attempt();
  if (failure !== undefined)
    say(
      `setup: THE REAL AMANDA IS NOT AVAILABLE: ${failure}\nsetup: tests that need it will be skipped, each by name.`,
    );
  return failure;
}

async function attempt() {
  const root = process.getuid?.() === 0;
  if (process.platform !== 'linux' || !existsSync('/usr/bin/dpkg-query'))
    return 'this is not Debian; install Amanda 3.5 by hand to run them.';
  const missing = await missingPackages();
  if (missing.length > 0) {
    if (!root) return `${missing.join(', ')} missing, and only root can install packages.`;
    const failure = await install(missing);
    if (failure !== undefined) return failure;
  }
  return root ? prepareUser() : undefined;
}

async function missingPackages() {
  const { output } = await run('dpkg-query', ['-W', '-f', '${Package} ${Status}\\n', ...PACKAGES]);
  const lines = new Set(output.split('\n'));
  return PACKAGES.filter((name) => !lines.has(`${name} install ok installed`));
}

async function install(names) {
  say(`setup: installing Debian packages: ${names.join(' ')}`);
  // Debian starts a package's daemon at once, and xinetd listens on every address. This answer of
  // the policy forbids it.
  const policy = '/usr/sbin/policy-rc.d';
  const madePolicy = !existsSync(policy);
  if (madePolicy) await writeFile(policy, '#!/bin/sh\nexit 101\n', { mode: 0o755 });
  try {
    const words = ['install', '-y', '--no-install-recommends', ...names];
    const first = await aptGet(...words);
    if (first.status === 0) return undefined;
    // The package lists are absent or old.
    say('setup: running apt-get update');
    const updated = await aptGet('update');
    const second = await aptGet(...words);
    return second.status === 0
      ? undefined
      : `apt-get could not install ${names.join(' ')}: ${complaints(updated, second)}`;
  } finally {
    if (madePolicy) await rm(policy, { force: true });
  }
}

function aptGet(...words) {
  const env = { ...process.env, DEBIAN_FRONTEND: 'noninteractive', LC_ALL: 'C.UTF-8' };
  return run(
    'apt-get',
    ['-q', '-o', 'DPkg::Lock::Timeout=120', '-o', 'Acquire::Retries=1', ...words],
    { env, seconds: 480 },
  );
}

/** What apt says is wrong. If an update reaches no server, apt only warns. */
function complaints(...runs) {
  const lines = runs.flatMap(({ output, error }) => [
    ...(output.match(/^[EW]: .*$/gm) ?? []),
    ...(error === undefined ? [] : [error]),
  ]);
  return lines.slice(0, 6).join(' ');
}

async function prepareUser() {
  const user = await backupUser();
  if (user === undefined) return 'there is no user backup.';
  if (/\/(nologin|false)$/.test(user.shell)) {
    say('setup: giving user backup a login shell (/bin/bash)');
    await run('usermod', ['-s', '/bin/bash', 'backup']);
  }
  const groups = (await run('id', ['-Gn', 'backup'])).output.trim().split(/\s+/);
  if (!groups.includes('disk') || !groups.includes('tape')) {
    say('setup: putting user backup into the groups disk and tape');
    await run('usermod', ['-a', '-G', 'disk,tape', 'backup']);
  }
  for (const folder of FOLDERS) {
    if (existsSync(folder)) continue;
    await mkdir(folder, { mode: 0o770 });
    await chown(folder, user.uid, user.gid);
  }
  return undefined;
}

async function backupUser() {
  const fields = (await run('getent', ['passwd', 'backup'])).output.trim().split(':');
  return fields.length < 7
    ? undefined
    : { uid: Number(fields[2]), gid: Number(fields[3]), shell: fields[6] };
}
