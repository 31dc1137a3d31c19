/** The two sides of a connection: the initiator connects and asks, the target answers. */
export type Role = 'initiator' | 'target';
