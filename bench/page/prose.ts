/** The words around the results. */

export const before = `# What it costs

Measured beside bare Socket.IO, plain \`express-session\` and the common ways to share sessions with sockets. Made by
\`npm run bench\` in a clone of the repository; [the README](../README.md#what-it-costs) has the summary.

- **bare Socket.IO** has no sessions: no way to share them can cost less.
- **the limit** is bare Socket.IO that verifies the cookie's signature once and reads the session once, by the same client of the
  database: the least that admits sessions only. It does not see that one ends. For a
  request it also writes the session once, conditionally, if it changed. **By express-session** it does that as a store of it.
- **plain express-session** has sessions for requests, by the package whose format the store keeps: connect-redis, connect-pg-simple,
  connect-mongo, MemoryStore.
- **the documented recipe** is Socket.IO's how-to, **express-socket.io-session** a package, and **io.use and store.get** the way of blog
  posts since 2013. "Stale" means that handlers read what the session was at the handshake.

CPU is the time of the application's process alone, in which the clients are not. It is warm: a server takes up to twice the time in its
first seconds, until its code is compiled. Bars and the first number of a cell are medians of
the rounds; lines and parentheses have the least and the most. In each round every case runs once in fresh processes, in turns of which every
other is in the opposite order, and comparisons are made within a round.`;

export const after = `## How to repeat it

\`\`\`sh
npm run bench                                        # all; writes this page
npm run bench -- handshake message                   # some of it
npm run bench -- request --store redis --rounds 3    # less of it: prints, and writes nothing
npm run bench -- handshake --before ../another-clone # beside the sources of another clone
\`\`\`

It starts the databases that it finds, or uses those that variables name, as the tests do
([contributing](../CONTRIBUTING.md#servers-and-browsers)). A short form of it runs with the tests, and asserts what each subject does.

## What it can't show

- **Other machines.** Ratios within one run carry over better than times do. Clients, application and databases share one machine here.
- **Your application.** Handlers do nothing but what is measured, so a share of the total is smaller in a real one.
- **The network.** The databases are on the same machine: their answers take less time than they would elsewhere, and the time of the
  clock says little. CPU time does not depend on it.
- **Durability of others.** Redis runs with \`appendfsync always\`, PostgreSQL with \`synchronous_commit = on\`: times of the clock include the disk.
- **\`mongod\`**, where the notes name FerretDB or mongo-java-server in its place.
- **What sessions are for.** The recipes cost less where they skip work: they don't close sockets at the logout, they read old data, and they lose
  updates ([from the recipe](guide/from-the-recipe.md)).`;
