import { chmodSync, copyFileSync, cpSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach, expect, it } from 'vitest';
import {
  openCertificates,
  pin,
  type Certificates,
  type Identity,
} from '../../support/certificates.js';
import {
  diagnose,
  expectNamedFirst,
  findingsOf,
  heal,
  printFaults,
  startAmandad,
  startServer,
  type FaultCase,
} from '../../support/doctor-lab.js';
import { describeReal } from '../../support/real-amanda.js';
import { giveToBackup } from '../../support/sandbox.js';
import { client, goodHosts, openTwoHosts, server, type TwoHosts } from '../../support/two-hosts.js';

const args = [client.name, '--auth', 'ssl', '--port', '10080'];

/** The identities of a test's certificates. */
interface Identities {
  readonly authority: Identity;
  readonly other: Identity;
  readonly ours: Identity;
  readonly theirs: Identity;
}

let lab: TwoHosts;
let certificates: Certificates;
let good: Identities;

/** Gives a host its certificates, and the target amandad with auth ssl. */
async function serveSsl(theirs: Identity = good.theirs, authority = good.authority): Promise<void> {
  install(lab.client.sandbox.etc, authority, theirs);
  await startAmandad(lab.client, { server_args: '-auth=ssl amdump' });
}

function install(etc: string, authority: Identity, me: Identity): void {
  rmSync(join(etc, 'ssl'), { recursive: true, force: true });
  const made = certificates.sslDir(`dir${process.hrtime.bigint()}`, authority, me);
  cpSync(made, join(etc, 'ssl'), { recursive: true });
  giveToBackup(join(etc, 'ssl'));
}

/** Starts a TLS server of our own on the target. */
function serveTls({ cert, key }: Identity, onSession: string, more = ''): Promise<void> {
  const [certFile, keyFile] = [cert, key].map((file, index) => {
    const copy = join(lab.client.sandbox.directory, `tls-${index}.pem`);
    copyFileSync(file, copy);
    return copy;
  });
  return startServer(
    lab.client,
    `const fs = require('node:fs');
     const { TLSSocket, createSecureContext } = require('node:tls');
     const tls = new TLSSocket(socket, { isServer: true, secureContext: createSecureContext({ ${more}
       cert: fs.readFileSync('${certFile}'), key: fs.readFileSync('${keyFile}') }) });
     tls.on('error', () => {});
     ${onSession}`,
  );
}

const ourSsl = (...names: readonly string[]): string =>
  join(lab.server.sandbox.etc, 'ssl', ...names);

const faults: readonly FaultCase[] = [
  {
    fault: 'our certificate is missing',
    inject: async () => {
      rmSync(ourSsl('me', 'crt.pem'));
      await serveSsl();
    },
    kind: 'own-certificate',
    says: /me\/crt\.pem/,
    exitCode: 3,
  },
  {
    fault: 'our key is of another certificate',
    inject: async () => {
      copyFileSync(good.theirs.key, ourSsl('me', 'private', 'key.pem'));
      await serveSsl();
    },
    kind: 'own-certificate',
    says: /is not the one of the certificate/,
    exitCode: 3,
  },
  {
    fault: 'our certificate has expired',
    inject: async () => {
      const old = certificates.signed('old-ours', good.authority, {
        commonName: server.name,
        days: -1,
      });
      install(lab.server.sandbox.etc, good.authority, old);
      await serveSsl();
    },
    kind: 'own-certificate',
    exitCode: 3,
  },
  {
    fault: "the target's certificate is of another CA",
    inject: () =>
      serveSsl(
        certificates.signed('stranger', good.other, { commonName: client.name }),
        good.other,
      ),
    kind: 'certificate-untrusted',
    says: /CN=other/,
    exitCode: 3,
  },
  {
    fault: "the target's certificate has expired",
    inject: () =>
      serveSsl(certificates.signed('old', good.authority, { commonName: client.name, days: -1 })),
    kind: 'certificate-expired',
    exitCode: 3,
  },
  {
    fault: "the target's certificate is for another host",
    inject: () =>
      serveSsl(certificates.signed('misnamed', good.authority, { commonName: server.name })),
    kind: 'certificate-name',
    says: /server\.lab/,
    exitCode: 3,
  },
  {
    fault: 'another fingerprint is on file here',
    inject: async () => {
      pin(ourSsl(), client.name, `SHA1 Fingerprint=${'AA:'.repeat(19)}AA\n`);
      await serveSsl();
    },
    kind: 'certificate-fingerprint',
    exitCode: 3,
  },
  {
    fault: 'the key of the target is too short for it',
    inject: () =>
      serveSsl(
        certificates.signed('weak', good.authority, { commonName: client.name, rsaBits: 1024 }),
      ),
    kind: 'silent-peer',
    says: /cannot use its own certificate/,
    exitCode: 3,
  },
  {
    fault: 'the key of the target is too short for us',
    inject: () => {
      const weak = certificates.signed('weak-key', good.authority, {
        commonName: client.name,
        rsaBits: 1024,
      });
      return serveTls(weak, `tls.resume();`, `ciphers: 'DEFAULT@SECLEVEL=0',`);
    },
    kind: 'certificate-weak',
    says: /1024 bits/,
    exitCode: 3,
  },
  {
    fault: 'another fingerprint of ours is on file there',
    inject: async () => {
      await serveSsl();
      pin(
        join(lab.client.sandbox.etc, 'ssl'),
        server.name,
        `SHA1 Fingerprint=${'AA:'.repeat(19)}AA\n`,
      );
      giveToBackup(join(lab.client.sandbox.etc, 'ssl'));
    },
    kind: 'certificate-refused',
    exitCode: 3,
  },
  {
    fault: 'our name does not lead to us there',
    inject: async () => {
      lab.client.hosts(goodHosts.filter((line) => !line.includes(server.name)));
      await serveSsl();
    },
    kind: 'silent-peer',
    says: /no name for this host's address/,
    exitCode: 3,
  },
  {
    fault: 'amandad has auth bsdtcp instead of ssl',
    inject: () => startAmandad(lab.client),
    kind: 'other-auth',
    says: /bsdtcp/,
    exitCode: 3,
  },
  {
    fault: 'amandad has auth ssl instead of bsdtcp',
    inject: () => serveSsl(),
    args: [client.name],
    kind: 'other-auth',
    says: /TLS, as an amandad with auth ssl/,
    exitCode: 3,
  },
  {
    fault: 'an SSH server listens at the port of ssl',
    inject: () => startServer(lab.client, `socket.write('SSH-2.0-OpenSSH_9.2p1\\r\\n');`),
    kind: 'other-service',
    says: /SSH server/,
    exitCode: 3,
  },
  {
    fault: 'an HTTPS server listens at the port of bsdtcp',
    inject: () =>
      serveTls(
        good.theirs,
        `tls.on('data', () => tls.end('HTTP/1.1 400 Bad Request\\r\\n\\r\\n'));`,
      ),
    args: [client.name],
    kind: 'other-service',
    says: /HTTPS server/,
    exitCode: 3,
  },
  {
    fault: '.amandahosts has no line for our certificate',
    inject: async () => {
      lab.client.sandbox.allow(['other.lab root amdump']);
      await serveSsl();
    },
    kind: 'amandahosts-line',
    exitCode: 1,
  },
];

describeReal('rx-amanda doctor over ssl', ['amandad', 'xinetd'], () => {
  beforeAll(async () => {
    lab = await openTwoHosts();
    certificates = openCertificates('/tmp');
    const authority = certificates.authority('authority');
    good = {
      authority,
      other: certificates.authority('other'),
      ours: certificates.signed('ours', authority, { commonName: server.name }),
      theirs: certificates.signed('theirs', authority, { commonName: client.name }),
    };
  });
  beforeEach(async () => {
    await heal(lab);
    install(lab.server.sandbox.etc, good.authority, good.ours);
    chmodSync(ourSsl('me', 'private', 'key.pem'), 0o600);
  });
  afterEach(() => heal(lab));
  afterAll(async () => {
    printFaults();
    certificates.close();
    await lab.close();
  });

  it('finds nothing to fix on a healthy target', async () => {
    await serveSsl();
    const found = await diagnose(lab, args);
    expect(findingsOf(found)).toEqual([]);
    expect(found.exitCode).toBe(0);
  });

  it('warns of a key that others can read, and of little time left', async () => {
    chmodSync(ourSsl('me', 'private', 'key.pem'), 0o644);
    await serveSsl(
      certificates.signed('soon', good.authority, { commonName: client.name, days: 5 }),
    );
    const found = await diagnose(lab, args);
    expect(found.exitCode).toBe(0);
    expect(findingsOf(found).map((line) => line.split(':')[0])).toEqual(
      expect.arrayContaining([
        'tls.own docs/doctor.md#key-unsafe',
        'tls.dates docs/doctor.md#certificate-expiring',
      ]),
    );
  });

  it.each(faults)('names first: $fault', (fault) => expectNamedFirst(lab, { args, ...fault }));
});
