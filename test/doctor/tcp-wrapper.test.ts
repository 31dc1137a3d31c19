import { describe, expect, it } from 'vitest';
import { isInNetwork, wrapperVerdict } from '../../src/doctor/local/tcp-wrapper.js';

const host = { host: 'server.lab', addresses: ['10.77.0.1'] };

describe('wrapperVerdict', () => {
  it.each([
    ['', '', 'allowed'],
    ['', 'ALL: ALL', 'denied'],
    ['', 'ALL : 10.0.0.1, server.lab', 'denied'],
    ['', 'sshd: ALL', 'allowed'],
    ['', 'sshd, amandad: ALL', 'denied'],
    ['', '#ALL: ALL', 'allowed'],
    ['', 'ALL: \\\n ALL', 'denied'],
    ['amandad: Server.lab', 'ALL: ALL', 'allowed'],
    ['amandad: .lab', 'ALL: ALL', 'allowed'],
    ['amandad: 10.77.', 'ALL: ALL', 'allowed'],
    ['amandad: 10.7.', 'ALL: ALL', 'denied'],
    ['amandad: 10.77.0.0/255.255.0.0', 'ALL: ALL', 'allowed'],
    ['amandad: 10.77.0.0/24', 'ALL: ALL', 'allowed'],
    ['amandad: 10.78.0.0/24', 'ALL: ALL', 'denied'],
    ['ALL: LOCAL', 'ALL: ALL', 'denied'],
    ['amandad: ALL EXCEPT .lab', 'ALL: ALL', 'unknown'],
    ['amandad: @servers', 'ALL: ALL', 'unknown'],
    ['amandad: ALL: deny', 'ALL: ALL', 'unknown'],
    ['amandad@10.0.0.1: server.lab', 'ALL: ALL', 'unknown'],
    ['AMANDAD: 10.1., all', 'all: all', 'allowed'],
    ['', 'ALL: PARANOID', 'unknown'],
    ['nothing', 'ALL', 'allowed'],
  ])('reads hosts.allow "%s" and hosts.deny "%s" as %s', (allow, deny, verdict) => {
    expect(wrapperVerdict(allow, deny, 'amandad', host)).toBe(verdict);
  });
});

describe('isInNetwork', () => {
  it.each([
    ['10.0.0.1', '10.0.0.0', 8, true],
    ['11.0.0.1', '10.0.0.0', 8, false],
    ['10.0.0.1', '10.0.0.0', Number.NaN, false],
    ['10.0.0.1', 'ten', 8, false],
    ['10.0.0.1', '10.0.0.0', 8.5, false],
    ['10.0.0.1', '10.0.0.0', 33, false],
    ['::1', '10.0.0.0', 8, false],
  ])('%s in %s/%d: %s', (address, network, length, isIn) => {
    expect(isInNetwork(address, network, length)).toBe(isIn);
  });
});
