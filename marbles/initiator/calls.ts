import { noop } from '../../src/initiator/noop.js';
import { selfcheck } from '../../src/initiator/selfcheck.js';
import { sendsize, type Estimate } from '../../src/initiator/sendsize.js';
import { close, failure, packet, page, value } from '../../src/testing/index.js';
import { OPTIONS, calling } from '../support/calling.js';

const packets = { A: packet('ACK'), C: close() };
const home = { program: 'GNUTAR', disk: '/home' };
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
  noop: packet('REQ', `SERVICE noop\n${OPTIONS}`),
  selfcheck: packet('REQ', `SERVICE selfcheck\n${OPTIONS}${dle('/home', '')}`),
  sendsize: packet('REQ', `SERVICE sendsize\n${OPTIONS}${dle('/home', full)}${dle('/var', full)}`),
};

/** What most ask for, typed. */
export const pages = [
  page({
    ...askingNoop,
    title: 'What a target can do',
    sentence:
      'The answer of noop is the set of features of the target; that it came shows that the target is there and lets us in.',
    picture: `
      target     --A-R
      initiator  Q---(AC)
      results    ----(n|)
    `,
    legend: {
      ...packets,
      Q: asked.noop,
      R: packet('REP', 'OPTIONS features=06;\n'),
      n: value('fe_options_auth, fe_selfcheck_req'),
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
      R: packet('REP', 'ERROR no room\n'),
      '#': failure('SERVICE_FAILED'),
    },
  }),

  page({
    ...checking,
    title: 'What a check finds',
    sentence:
      'A problem is a value like any other finding; completion says that the check was done.',
    picture: `
      target     --A--R
      initiator  Q----(AC)
      results    -----(ab|)
    `,
    legend: {
      ...packets,
      Q: asked.selfcheck,
      R: packet('REP', 'OPTIONS ;\nOK /home\nERROR cannot read /home/x\n'),
      a: value('info: /home'),
      b: value('error: cannot read /home/x'),
    },
  }),

  page({
    ...estimating,
    title: 'Estimates as they come',
    sentence:
      'Each partial reply repeats the ones before it; each estimate comes out once, as soon as it is there.',
    picture: `
      target     --A--P----R
      initiator  Q---------(AC)
      results    -----a----(b|)
    `,
    legend: {
      ...packets,
      Q: asked.sendsize,
      P: packet('PREP', '/home 0 SIZE 1024\n'),
      R: packet('REP', '/home 0 SIZE 1024\n/var 0 SIZE 7\n'),
      a: value('/home: 1024 KiB'),
      b: value('/var: 7 KiB'),
    },
  }),

  page({
    ...estimating,
    title: 'A disk about which nothing was said',
    sentence: 'It has no estimate, which is a value, too, behind all others.',
    picture: `
      target     --A--R
      initiator  Q----(AC)
      results    -----(ab|)
    `,
    legend: {
      ...packets,
      Q: asked.sendsize,
      R: packet('REP', '/home 0 SIZE 1024\n'),
      a: value('/home: 1024 KiB'),
      b: value('/var: none'),
    },
  }),
];
