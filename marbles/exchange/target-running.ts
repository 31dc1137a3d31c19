import { mark, page } from '../../src/testing/index.js';
import { packets, serving } from '../support/serving.js';

const failed = mark.value('ended: failed', 'the request has failed');
const unexpected = (type: string) => mark.packet('NAK', `ERROR unexpected packet type ${type}\n`);

/** What happens while the target's service works on its reply. */
export const pages = [
  page({
    ...serving(),
    title: 'REQ again while the service runs',
    sentence: 'The ACK was lost, so it is sent again; the service is not started twice.',
    picture: `
      initiator  -Q-Q----K
      service    ------r
      service ^  -^------!
      target     -K-K--R-C
      events     -a----y-e
    `,
    legend: packets,
  }),

  page({
    ...serving(),
    title: 'ACK while the service runs',
    sentence: 'A packet that is not due is answered by a NAK; the exchange goes on.',
    picture: `
      initiator  -Q-K----K
      service    ------r
      target     -K-N--R-C
      events     -a----y-e
    `,
    legend: { ...packets, N: unexpected('ACK') },
  }),

  page({
    ...serving(),
    title: 'REP while the service runs',
    sentence: 'A packet that is not due is answered by a NAK; the exchange goes on.',
    picture: `
      initiator  -Q-R----K
      service    ------r
      target     -K-N--R-C
      events     -a----y-e
    `,
    legend: { ...packets, N: unexpected('REP') },
  }),

  page({
    ...serving(),
    title: 'A packet of an unknown type while the service runs',
    sentence: 'A packet that is not due is answered by a NAK; the exchange goes on.',
    picture: `
      initiator  -Q-X----K
      service    ------r
      target     -K-N--R-C
      events     -a----y-e
    `,
    legend: { ...packets, X: mark.bogus(7), N: unexpected('BOGUS') },
  }),

  page({
    ...serving(),
    title: 'Partial replies',
    sentence: 'A partial reply goes out as PREP at once, and needs no ACK.',
    picture: `
      initiator  -Q 2s - 2s -----K
      service    -- 2s p 2s p--r
      target     -K 2s P 2s P--R-C
      events     -a 2s - 2s ---y-e
    `,
    legend: packets,
  }),

  page({
    ...serving(),
    title: 'A service that takes six hours',
    sentence: 'After six hours without a reply the service is ended and the request refused.',
    picture: `
      initiator  -Q
      service    --
      service ^  -^ 359m 59s 999ms !
      target     -K 359m 59s 999ms (NC)
      events     -a 359m 59s 999ms e
    `,
    legend: {
      ...packets,
      N: mark.packet('NAK', 'ERROR timeout on reply pipe\n'),
      e: mark.value('ended: timedOut', 'the service took too long'),
    },
  }),

  page({
    ...serving(),
    title: 'A service that fails',
    sentence:
      'The failure of a service is its reply: an ERROR line, to be acknowledged like any other.',
    picture: `
      initiator  -Q----K
      service    ----#
      target     -K--F-C
      events     -a--y-e
    `,
    legend: {
      ...packets,
      F: mark.packet('REP', 'ERROR service noop: SERVICE_FAILED on a marble page\n'),
      '#': mark.failure('SERVICE_FAILED'),
      e: failed,
    },
  }),

  page({
    ...serving(),
    title: 'A service that ends without a reply',
    sentence: 'An end without a reply is a failure of the service.',
    picture: `
      initiator  -Q----K
      service    ----|
      target     -K--F-C
      events     -a--y-e
    `,
    legend: {
      ...packets,
      F: mark.packet('REP', 'ERROR service noop: it ended without a reply\n'),
      e: failed,
    },
  }),

  page({
    ...serving(),
    title: 'The initiator closes the handle while the service runs',
    sentence:
      'A close does not end the exchange: the reply goes out, and an ACK still completes it.',
    picture: `
      initiator  -QC---K
      service    ----r
      target     -K--R-C
      events     -a--y-e
    `,
    legend: packets,
  }),

  page({
    ...serving(),
    title: 'The connection breaks while the service runs',
    sentence: 'The service is unsubscribed at once, because its reply cannot be delivered.',
    picture: `
      initiator  -Q-#
      service    ------r
      service ^  -^-!
      target     -K-|
      events     -a-(ed|)
    `,
    legend: {
      ...packets,
      e: mark.value('ended: lost', 'the request is lost'),
      d: mark.value('disconnected'),
      '#': mark.failure('CONNECTION_LOST'),
    },
  }),

  page({
    ...serving(),
    title: 'The initiator ends the connection while the service runs',
    sentence: 'The end of the connection ends the service, too.',
    picture: `
      initiator  -Q-|
      service    ------r
      service ^  -^-!
      target     -K-|
      events     -a-(ed|)
    `,
    legend: {
      ...packets,
      e: mark.value('ended: lost', 'the request is lost'),
      d: mark.value('disconnected'),
    },
  }),

  page({
    ...serving(),
    title: 'Unsubscribing the target',
    sentence: 'Unsubscribing ends the running services and closes the connection.',
    picture: `
      initiator  -Q
      service    ------r
      service ^  -^-!
      target     -K-|
      events     -a---
      events ^   ^--!
    `,
    legend: packets,
  }),
];
