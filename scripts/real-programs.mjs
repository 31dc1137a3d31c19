// The real Amanda, and what the interop tests need beside it. Only as root on Debian or a system made of it, since that is where this is known to work; anywhere
// else it says so and the tests that need a program skip by name.
//
// What it changes on the machine, each only where it is not so yet:
//   - Debian packages (below) are installed, and none of their daemons is started;
//   - user backup, as which Debian's amandad runs, gets a login shell: sshd runs its command through it, and Debian's is nologin;
//   - user backup is put into the groups disk and tape, as amanda-common does it;
//   - the folders that Amanda's programs expect are made.
// Nothing is configured: the tests put folders of their own where Amanda looks for its configuration and for .amandahosts.
import { chown, mkdir, rm, writeFile } from 'node:fs/promises';
import { existsSync } from 'node:fs';
import { run, say } from './tools.mjs';

/** libencode-locale-perl: every Perl program of Amanda needs it, and Debian's packages do not ask for it. */
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
  // What draws the web page of a tap, and what saves a capture of it.
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

/** Installs and prepares what is missing. Resolves to a sentence for why it could not, undefined when all is there. */
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
  // A package's daemon would be started at once, and xinetd's would listen on every address; this answer of the policy forbids it.
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

/** What apt says is wrong. An update that reached no server is a mere warning to it. */
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
