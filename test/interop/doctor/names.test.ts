import { afterAll, afterEach, beforeAll, beforeEach, it } from 'vitest';
import {
  expectNamedFirst,
  heal,
  printFaults,
  startAmandad,
  startNameServer,
  type FaultCase,
} from '../../support/doctor-lab.js';
import { describeReal } from '../../support/real-amanda.js';
import { client, goodHosts, openTwoHosts, server, type TwoHosts } from '../../support/two-hosts.js';

/** Replaces the line of an address in /etc/hosts. */
function hostsWith(address: string, line: string): readonly string[] {
  return goodHosts.map((one) => (one.startsWith(`${address} `) ? line : one));
}

const faults: readonly FaultCase[] = [
  {
    fault: 'the host is not known',
    inject: ({ server: ours }) => startNameServer(ours, {}),
    args: ['nosuch.lab'],
    kind: 'unknown-host',
    exitCode: 3,
  },
  {
    fault: 'the name server is silent',
    inject: ({ server: ours }) => startNameServer(ours, { silent: true }),
    kind: 'name-server-silent',
    within: 12,
    exitCode: 3,
  },
  {
    fault: 'the name server is silent, and /etc/hosts has the target alone',
    inject: async ({ server: ours, client: theirs }) => {
      await startNameServer(ours, { silent: true });
      ours.hosts([...goodHosts.slice(0, 1), `${client.address} ${client.name}`]);
      await startAmandad(theirs);
    },
    kind: 'name-server-silent',
    exitCode: 0,
  },
  {
    fault: "our address's name leads elsewhere",
    inject: async ({ server: ours, client: theirs }) => {
      await startNameServer(ours, {
        names: { [client.name]: client.address, 'one.lab': '10.77.0.7' },
        addresses: { [server.address]: 'one.lab', [client.address]: client.name },
      });
      await startAmandad(theirs);
    },
    kind: 'own-name-astray',
    exitCode: 0,
  },
  {
    fault: "the target's address's name leads elsewhere",
    inject: async ({ server: ours, client: theirs }) => {
      await startNameServer(ours, {
        names: {
          [client.name]: client.address,
          'two.lab': '10.77.0.7',
          [server.name]: server.address,
        },
        addresses: { [server.address]: server.name, [client.address]: 'two.lab' },
      });
      await startAmandad(theirs);
    },
    kind: 'target-name-astray',
    exitCode: 0,
  },
  {
    fault: 'no name server can be reached',
    inject: ({ server: ours }) => ours.hosts(goodHosts.slice(0, 1)),
    kind: 'name-server-silent',
    exitCode: 3,
  },
  {
    fault: 'the target finds another name for us',
    inject: ({ client: theirs }) => {
      theirs.hosts(hostsWith(server.address, `${server.address} wrong.lab`));
      return startAmandad(theirs);
    },
    kind: 'amandahosts-line',
    says: /wrong\.lab root amdump/,
    exitCode: 1,
  },
  {
    fault: "the target's name for us is an alias",
    inject: async ({ client: theirs }) => {
      await startNameServer(theirs, {
        names: { 'one.lab': 'two.lab', 'two.lab': server.address },
        addresses: { [server.address]: 'one.lab' },
      });
      await startAmandad(theirs);
    },
    kind: 'reverse-dns',
    says: /put ne\.lab first|name two\.lab/,
    exitCode: 1,
  },
  {
    fault: "the target's name for us has another address",
    inject: async ({ client: theirs }) => {
      await startNameServer(theirs, {
        names: { 'one.lab': '10.77.0.7' },
        addresses: { [server.address]: 'one.lab' },
      });
      await startAmandad(theirs);
    },
    kind: 'reverse-dns',
    says: /add the line "10\.77\.0\.1 ne\.lab".* without its first letter/,
    exitCode: 1,
  },
  {
    fault: "the target's name for us has no address",
    inject: async ({ client: theirs }) => {
      await startNameServer(theirs, { addresses: { [server.address]: 'one.lab' } });
      await startAmandad(theirs);
    },
    kind: 'reverse-dns',
    says: /look-up on client\.lab failed, not ours/,
    exitCode: 1,
  },
  {
    fault: 'the name server of the target is silent',
    inject: async ({ client: theirs }) => {
      await startNameServer(theirs, { silent: true });
      await startAmandad(theirs);
    },
    kind: 'reverse-dns',
    says: /look-up on client\.lab failed, not ours/,
    within: 12,
    exitCode: 1,
  },
  {
    fault: 'the name server is silent, seen from the target',
    inject: async ({ client: theirs }) => {
      theirs.sandbox.allow(['one.lab root amdump', 'two.lab root amdump', 'three.lab root']);
      await startNameServer(theirs, { silent: true });
      await startAmandad(theirs);
    },
    args: ['--local'],
    on: 'client',
    kind: 'amandahosts-name',
    says: /no name server answers/,
    exitCode: 0,
  },
  {
    fault: 'a name leads to the loopback address',
    inject: ({ server: ours, client: theirs }) => {
      ours.hosts(hostsWith(client.address, `127.0.0.1 ${client.name}`));
      return startAmandad(theirs);
    },
    kind: 'localhost-trap',
    exitCode: 3,
  },
];

describeReal('rx-amanda doctor and names', ['amandad', 'xinetd'], () => {
  let lab: TwoHosts;
  beforeAll(async () => {
    lab = await openTwoHosts();
  });
  beforeEach(() => heal(lab));
  afterEach(() => heal(lab));
  afterAll(async () => {
    printFaults();
    await lab.close();
  });

  it.each(faults)('names first: $fault', (fault) => expectNamedFirst(lab, fault));
});
