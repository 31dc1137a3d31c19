# Swaps the two names of each pair of its arguments, again and again, each pair by one renameat2.
# Prints the number of its swaps after each thousand. Ends with its standard input.
import ctypes, os, select, sys

AT_FDCWD, RENAME_EXCHANGE = -100, 2
renameat2 = ctypes.CDLL(None, use_errno=True).renameat2
names = [os.fsencode(name) for name in sys.argv[1:]]
pairs = list(zip(names[::2], names[1::2]))
swaps = 0
while not select.select([sys.stdin], [], [], 0)[0]:
    for _ in range(1000 // len(pairs)):
        for one, other in pairs:
            if renameat2(AT_FDCWD, one, AT_FDCWD, other, RENAME_EXCHANGE) != 0:
                sys.exit(os.strerror(ctypes.get_errno()))
            swaps += 1
    print(swaps, flush=True)
