import { NEVER, concat, map, mergeMap, of, type Observable, type OperatorFunction } from 'rxjs';
import type { Connection } from '../../src/connection/connection.js';
import { handleLane, userLane, type PageScope } from '../../src/diagram/page/page.js';
import { connect } from '../../src/initiator/connect.js';
import { noop } from '../../src/initiator/noop.js';
import { onConnection } from '../../src/initiator/on-connection.js';
import { selfcheck } from '../../src/initiator/selfcheck.js';
import { sendsize, type Estimate } from '../../src/initiator/sendsize.js';
import { mark, page, pageConnection } from '../../src/testing/index.js';
import { OPTIONS, calling } from '../support/calling.js';

const packets = { A: mark.packet('ACK'), C: mark.close() };
const home = { program: 'GNUTAR', disk: '/home' } as const;
const dle = (disk: string, level: string): string =>
  `<dle>\n  <program>GNUTAR</program>\n  <disk>${disk}</disk>\n${level}</dle>\n`;
const full = '  <level>0</level>\n';

const askingNoop = calling(
  'noop',
  () => noop(),
  ({ features }) => features.names().join(', '),
);
const checking = calling(
  'selfcheck',
  () => selfcheck({ dles: [home] }),
  ({ severity, text }) => `${severity}: ${text}`,
);
const estimating = calling(
  'sendsize',
  () => sendsize({ dles: [home, { program: 'GNUTAR', disk: '/var' }] }),
  inWords,
);

function inWords(estimate: Estimate): string {
  return `${estimate.disk}: ${estimate.kind === 'size' ? `${estimate.kilobytes} KiB` : estimate.kind}`;
}

const asked = {
  noop: mark.packet('REQ', `SERVICE noop\n${OPTIONS}`),
  selfcheck: mark.packet('REQ', `SERVICE selfcheck\n${OPTIONS}${dle('/home', '')}`),
  sendsize: mark.packet(
    'REQ',
    `SERVICE sendsize\n${OPTIONS}${dle('/home', full)}${dle('/var', full)}`,
  ),
};

/** An initiator that makes two calls on one connection. */
function callingTwice(
  about: string,
  on: (
    work: (connection: Connection) => Observable<string>,
  ) => OperatorFunction<Connection, string>,
) {
  return {
    about,
    given: { first: handleLane(1, 'in'), second: handleLane(2, 'in') },
    expected: {
      initiator1: handleLane(1, 'out'),
      initiator2: handleLane(2, 'out'),
      results: userLane<string>(),
    },
    wire: (
      { first, second }: Readonly<Record<'first' | 'second', Observable<Uint8Array>>>,
      scope: PageScope,
    ) => {
      const { connection, peer } = pageConnection(scope, { side: 'initiator', user: undefined });
      scope.ends.add(peer.send(1, first));
      scope.ends.add(peer.send(2, second));
      const one = of<Connection>(connection);
      const open = () => concat(one, NEVER);
      const ask = one.pipe(
        noop(),
        map(({ features }) => features.names().join(', ')),
      );
      return {
        initiator1: peer.received(1),
        initiator2: peer.received(2),
        results: connect({ name: 'bsdtcp', user: undefined, open }).pipe(
          on(() => concat(ask, ask)),
        ),
      };
    },
  };
}

const twice = {
  ...packets,
  Q: asked.noop,
  R: mark.packet('REP', 'OPTIONS features=02;\n'),
  S: mark.packet('REP', 'OPTIONS features=04;\n'),
  n: mark.value('fe_options_auth'),
  m: mark.value('fe_selfcheck_req'),
};

/** The typed calls. */
export const pages = [
  page({
    ...askingNoop,
    title: 'What a target can do',
    sentence:
      "The answer of noop is the set of the target's features; it also shows that the target runs and admits us.",
    picture: `
      target     --A-R
      initiator  Q---(AC)
      results    ----(n|)
    `,
    legend: {
      ...packets,
      Q: asked.noop,
      R: mark.packet('REP', 'OPTIONS features=06;\n'),
      n: mark.value('fe_options_auth, fe_selfcheck_req'),
    },
  }),

  page({
    ...askingNoop,
    title: 'A service that fails',
    sentence: 'An ERROR line in the reply of noop is an error, with what the target says.',
    picture: `
      target     --A-R
      initiator  Q---(AC)
      results    ----#
    `,
    legend: {
      ...packets,
      Q: asked.noop,
      R: mark.packet('REP', 'ERROR no room\n'),
      '#': mark.failure('SERVICE_FAILED'),
    },
  }),

  page({
    ...checking,
    title: 'What a check finds',
    sentence:
      'A problem is a value like any other finding; completion means that the check was done.',
    picture: `
      target     --A--R
      initiator  Q----(AC)
      results    -----(ab|)
    `,
    legend: {
      ...packets,
      Q: asked.selfcheck,
      R: mark.packet('REP', 'OPTIONS ;\nOK /home\nERROR cannot read /home/x\n'),
      a: mark.value('info: /home'),
      b: mark.value('error: cannot read /home/x'),
    },
  }),

  page({
    ...estimating,
    title: 'Estimates as they come',
    sentence:
      'Each partial reply repeats the previous ones; each estimate is emitted once, when it first comes.',
    picture: `
      target     --A--P----R
      initiator  Q---------(AC)
      results    -----a----(b|)
    `,
    legend: {
      ...packets,
      Q: asked.sendsize,
      P: mark.packet('PREP', '/home 0 SIZE 1024\n'),
      R: mark.packet('REP', '/home 0 SIZE 1024\n/var 0 SIZE 7\n'),
      a: mark.value('/home: 1024 KiB'),
      b: mark.value('/var: 7 KiB'),
    },
  }),

  page({
    ...estimating,
    title: 'A disk without an answer',
    sentence: 'Its missing estimate is a value, too, after all others.',
    picture: `
      target     --A--R
      initiator  Q----(AC)
      results    -----(ab|)
    `,
    legend: {
      ...packets,
      Q: asked.sendsize,
      R: mark.packet('REP', '/home 0 SIZE 1024\n'),
      a: mark.value('/home: 1024 KiB'),
      b: mark.value('/var: none'),
    },
  }),

  page({
    ...callingTwice('onConnection', onConnection),
    title: 'Two calls on one connection',
    sentence: 'onConnection() holds the connection for both calls, and ends it after the second.',
    picture: `
      first       --A-R
      second      ------A-S
      initiator1  Q---(AC)
      initiator2  ----Q---(AC)
      results     ----n---(m|)
    `,
    legend: twice,
  }),

  page({
    ...callingTwice('connect', (work) => mergeMap(work)),
    title: 'Two calls without onConnection',
    sentence: 'The connection ends 1 s after its last call.',
    picture: `
      first       --A-R
      second      ------A-S
      initiator1  Q---(AC)
      initiator2  ----Q---(AC)
      results     ----n---m 999ms |
    `,
    legend: twice,
  }),
];
