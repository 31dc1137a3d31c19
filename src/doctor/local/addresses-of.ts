import { catchError, from, map, of, timeout, type Observable } from 'rxjs';

/**
 * The addresses of a name, IPv4 and IPv6; none when it has none. Undefined when no name server
 * answers in time.
 */
export function addressesOf(
  name: string,
  within: number,
): Observable<readonly string[] | undefined> {
  return from(lookUp(name)).pipe(
    timeout({ first: within }),
    map((found) => found.map(({ address }) => address)),
    catchError((error: unknown) =>
      of((error as NodeJS.ErrnoException).code === 'ENOTFOUND' ? [] : undefined),
    ),
  );
}

async function lookUp(name: string): Promise<readonly { readonly address: string }[]> {
  const { lookup } = await import('node:dns/promises');
  return lookup(name, { all: true, order: 'verbatim' });
}
