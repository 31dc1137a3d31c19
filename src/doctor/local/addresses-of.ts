import { catchError, from, map, of, timeout, type Observable } from 'rxjs';

/** The IPv4 addresses of a name; none when it has none, or when the answer is late. */
export function addressesOf(name: string, within: number): Observable<readonly string[]> {
  return from(lookUp(name)).pipe(
    timeout({ first: within }),
    map((found) => found.map(({ address }) => address)),
    catchError(() => of([])),
  );
}

async function lookUp(name: string): Promise<readonly { readonly address: string }[]> {
  const { lookup } = await import('node:dns/promises');
  return lookup(name, { all: true, family: 4 });
}
