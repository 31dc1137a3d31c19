import { chmodSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { firstValueFrom } from 'rxjs';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { bsd } from '../../src/drivers/datagram/bsd.js';
import { bsdudp } from '../../src/drivers/datagram/bsdudp.js';
import { bsdtcp } from '../../src/drivers/bsdtcp.js';
import type { Driver } from '../../src/drivers/driver.js';
import { local } from '../../src/drivers/local.js';
import { ssl } from '../../src/drivers/ssl/ssl.js';
import { request } from '../../src/exchange/request.js';
import { connect } from '../../src/initiator/connect.js';
import { openCertificates } from '../support/certificates.js';
import { rxAmandad } from '../support/program.js';
import { describeReal, type Lab, openLab, programs } from '../support/real-amanda.js';
import { giveToBackup } from '../support/sandbox.js';
import { spawnUdpTarget } from '../support/udp-inetd.js';

/** Every variable that a service of ours may have, and those of a language. */
const starting = [
  'PATH=/usr/sbin:/usr/bin:/sbin:/bin',
  'HOME=/var/backups',
  'USER=backup',
  'LOGNAME=backup',
  'SHELL=/bin/sh',
  'TZ=UTC',
  'DISPLAY=:0',
  'LANG=de_DE',
  'LC_ALL=C',
  'LC_TIME=de_DE',
];

/** What sshd adds. The real amandad passes it on; ours does not. */
const SSH_CONNECTION = 'SSH_CONNECTION=127.0.0.1 40000 127.0.0.1 22';

describeReal('the environment of a service', ['amandad'], () => {
  let lab: Lab;
  let sslDir = '';
  const closing: (() => Promise<void>)[] = [];

  beforeAll(() => {
    lab = openLab();
    const probe = join(lab.sandbox.directory, 'probe');
    writeFileSync(probe, `#!/bin/sh\ncat >/dev/null\ntr '\\0' '\\n' </proc/$$/environ | sort\n`);
    chmodSync(probe, 0o755);
    const certificates = openCertificates(lab.sandbox.etc);
    const ca = certificates.authority('ca');
    sslDir = certificates.sslDir('good', ca, certificates.signed('me', ca));
    giveToBackup(lab.sandbox.etc);
    const inside = sslDir.replace(lab.sandbox.etc, '/etc/amanda');
    writeFileSync(join(lab.sandbox.etc, 'amanda-client.conf'), `ssl-dir "${inside}"\n`);
  });
  afterAll(async () => {
    await Promise.all(closing.map((close) => close()));
    await lab.close();
  });

  /** An executable that puts the probe in the place of selfcheck and becomes the target. */
  function starter(name: string, auth: string, ...command: readonly string[]): string {
    const path = join(lab.sandbox.directory, name);
    const words = [
      'setpriv',
      '--reuid=backup',
      '--regid=backup',
      '--init-groups',
      '--',
      'env',
      '-i',
    ];
    const variables = auth === 'ssh' ? [...starting, SSH_CONNECTION] : starting;
    const line = [...words, ...variables, ...command].map((word) => `'${word}'`).join(' ');
    writeFileSync(
      path,
      `#!/bin/sh\nmount --bind '${join(lab.sandbox.directory, 'probe')}' /usr/lib/amanda/selfcheck && exec ${line}\n`,
    );
    chmodSync(path, 0o755);
    return path;
  }

  async function driverTo(auth: string, program: readonly string[], who: string): Promise<Driver> {
    const start = starter(`${who}-${auth}`, auth, ...program, `-auth=${auth}`, 'selfcheck');
    if (auth === 'local' || auth === 'ssh')
      return local({ amandadPath: lab.sandbox.door(`${who}-${auth}-door`, start, 'root') });
    const isUdp = auth === 'bsd' || auth === 'bsdudp';
    const target = await (isUdp
      ? spawnUdpTarget(lab.sandbox, { command: start, user: 'root' })
      : lab.spawnTarget({ command: start, user: 'root' }));
    if (isUdp) closing.push(() => target.close());
    const to = { host: 'localhost', port: target.port, user: 'backup' };
    if (auth === 'ssl') return ssl({ ...to, sslDir, onWarning: () => undefined });
    return auth === 'bsdtcp' ? bsdtcp(to) : auth === 'bsd' ? bsd(to) : bsdudp(to);
  }

  it.each(['bsdtcp', 'ssl', 'local', 'ssh', 'bsdudp', 'bsd'])(
    'over %s is the same as from the real amandad',
    async (auth) => {
      const seen = async (who: string, program: readonly string[]): Promise<readonly string[]> => {
        const driver = await driverTo(auth, program, who);
        const { text } = await firstValueFrom(connect(driver).pipe(request('selfcheck')));
        return text.trim().split('\n').sort();
      };
      const real = await seen('real', [programs.amandad]);
      const ours = await seen('ours', [process.execPath, rxAmandad]);
      expect(ours).toEqual(real.filter((line) => line !== SSH_CONNECTION));
      expect(ours).toEqual(expect.arrayContaining(['TZ=UTC', 'HOME=/var/backups']));
    },
    60_000,
  );
});
