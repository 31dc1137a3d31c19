import { userInfo } from 'node:os';
import { AmandaError } from '../wire/errors.js';

/** The user that this process runs as. Throws `BAD_ARGUMENT` for a user without a name. */
export function ownUserName(): string {
  try {
    return userInfo().username;
  } catch (cause) {
    throw new AmandaError(
      'BAD_ARGUMENT',
      'The user that this process runs as has no name in the user database; set the option user.',
      { cause },
    );
  }
}
