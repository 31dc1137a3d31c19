import { of } from 'rxjs';
import { refused } from '../../src/access/verdict.js';
import { mark, page } from '../../src/testing/index.js';
import { packets, serving } from '../support/serving.js';

const ignored = mark.value('ended: ignored', 'the handle is ignored');
const ended = mark.value('ended: refused', 'the request is refused');

/** The target's first decision: what a new handle brings. */
export const pages = [
  page({
    ...serving(),
    title: 'REQ, ACK, REP, ACK',
    sentence:
      'A request is acknowledged and its service started; the reply goes out, its ACK closes the handle and ends the request.',
    picture: `
      initiator               -Q----K
      service                 ----r
      service ^               -^----!
      target                  -K--R-C
      target waiting for ACK  ----^-!
      events                  -a--y-e
    `,
    legend: packets,
  }),

  page({
    ...serving(),
    title: 'ACK on a new handle',
    sentence: 'Only a REQ begins an exchange: the handle is closed without an answer.',
    picture: `
      initiator  -K
      service    -
      service ^  -
      target     -C
      events     -i
    `,
    legend: { ...packets, i: ignored },
  }),

  page({
    ...serving(),
    title: 'NAK on a new handle',
    sentence: 'Only a REQ begins an exchange: the handle is closed without an answer.',
    picture: `
      initiator  -N
      service    -
      service ^  -
      target     -C
      events     -i
    `,
    legend: { ...packets, N: mark.packet('NAK', 'ERROR no\n'), i: ignored },
  }),

  page({
    ...serving(),
    title: 'REP on a new handle',
    sentence: 'Only a REQ begins an exchange: the handle is closed without an answer.',
    picture: `
      initiator  -R
      service    -
      service ^  -
      target     -C
      events     -i
    `,
    legend: { ...packets, i: ignored },
  }),

  page({
    ...serving(),
    title: 'A packet of an unknown type on a new handle',
    sentence: 'Only a REQ begins an exchange: the handle is closed without an answer.',
    picture: `
      initiator  -X
      service    -
      service ^  -
      target     -C
      events     -i
    `,
    legend: { ...packets, X: mark.bogus(7), i: ignored },
  }),

  page({
    ...serving(),
    title: 'A close on a new handle',
    sentence: 'The close of a handle that never was is ignored; the handle can be used later.',
    picture: `
      initiator  -C-Q
      service    -----
      service ^  ---^
      target     ---K
      events     ---a
    `,
    legend: packets,
  }),

  page({
    ...serving({ maxRequests: 0 }),
    title: 'A request that is refused',
    sentence:
      'A refusal is a NAK with the reason, and the close of the handle; no service is started.',
    picture: `
      initiator  -Q
      service    -
      service ^  -
      target     -(NC)
      events     -(fe)
    `,
    legend: {
      ...packets,
      N: mark.packet('NAK', 'ERROR more than 0 requests at once on one connection\n'),
      f: mark.value(
        'refused: more than 0 requests at once on one connection',
        'refused, with the reason',
      ),
      e: ended,
    },
  }),

  page({
    ...serving({ authorize: () => of(refused('not you')) }, { namesUser: true }),
    title: 'A user without access',
    sentence:
      'When requests name a user, access is checked first; the NAK has the reason of a refusal.',
    picture: `
      initiator  -Q
      service    -
      service ^  -
      target     -(NC)
      events     -(fe)
    `,
    legend: {
      ...packets,
      Q: mark.packet('REQ', 'SECURITY USER eve\nSERVICE noop\nOPTIONS ;\n'),
      N: mark.packet('NAK', 'ERROR not you\n'),
      f: mark.value('refused: not you', 'refused, with the reason'),
      e: ended,
    },
  }),

  page({
    ...serving(),
    title: 'A request that cannot be read',
    sentence: 'A REQ without a SERVICE line and a body is refused.',
    picture: `
      initiator  -Q
      service    -
      service ^  -
      target     -(NC)
      events     -(fe)
    `,
    legend: {
      ...packets,
      Q: mark.packet('REQ', 'HELLO\n'),
      N: mark.packet('NAK', 'ERROR invalid REQ\n'),
      f: mark.value('refused: invalid REQ', 'refused, with the reason'),
      e: ended,
    },
  }),

  page({
    ...serving(),
    title: 'An unknown service',
    sentence: 'An initiator can ask only for the services that the target was given.',
    picture: `
      initiator  -Q
      service    -
      service ^  -
      target     -(NC)
      events     -(fe)
    `,
    legend: {
      ...packets,
      Q: mark.packet('REQ', 'SERVICE rm\nOPTIONS ;\n'),
      N: mark.packet('NAK', "ERROR rm: invalid service, add 'rm' as argument to amandad\n"),
      f: mark.value(
        "refused: rm: invalid service, add 'rm' as argument to amandad",
        'refused, with the reason',
      ),
      e: ended,
    },
  }),

  page({
    ...serving({}, { namesUser: false }, "execute access to '/usr/lib/amanda/noop' denied"),
    title: 'A service that cannot run',
    sentence: 'A NAK says what a service lacks before its request is acknowledged.',
    picture: `
      initiator  -Q
      service    -
      service ^  -
      target     -(NC)
      events     -(ne)
    `,
    legend: {
      ...packets,
      N: mark.packet('NAK', "ERROR execute access to '/usr/lib/amanda/noop' denied\n"),
      n: mark.value("refused: execute access to '/usr/lib/amanda/noop' denied"),
      e: ended,
    },
  }),
];
