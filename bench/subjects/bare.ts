/** Socket.IO without sessions: what no way to share them can go below. */
import { plain } from "./plain.ts";
import type { Subject } from "./subject.ts";

/** Its requests have sessions all the same, so that its clients bring the cookie of the others. */
export const bare: Subject = {
  name: "bare",
  title: "bare Socket.IO",
  async install(application) {
    const { engine } = application.io;
    const closeAll = async () => {
      const { clientsCount } = engine;
      application.io.disconnectSockets(true);
      return clientsCount;
    };
    const ends = { user: closeAll, each: closeAll, close: closeAll };
    return { ...(await plain.install(application)), ends };
  },
};
