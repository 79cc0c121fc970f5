import { showAbilities } from "./abilities.ts";
import { startActions } from "./actions.ts";
import { startComposer } from "./composer.ts";
import { startCountdown } from "./countdown.ts";
import { showDevices } from "./devices.ts";
import { startFolds } from "./folds.ts";
import { showMessages } from "./log.ts";
import { showReturnedProblem, startLogin } from "./login.ts";
import { showNode } from "./nodes.ts";
import { socket } from "./open-socket.ts";
import { showOver } from "./over.ts";
import { writeAs } from "./own.ts";
import { showPeople } from "./people.ts";
import { session } from "./session.ts";
import { showCard } from "./session-card.ts";
import { showStatus } from "./status.ts";
import { narrate, narrateStates } from "./story.ts";

function show(): void {
  const snapshot = session.getSnapshot();
  showStatus(snapshot);
  showCard(snapshot);
  showAbilities(snapshot);
  showOver(snapshot); // last, as it takes the focus from what the others disable or hide
}

socket
  .on("author", writeAs)
  .on("history", showMessages)
  .on("message", (message) => showMessages([message]))
  .on("node", showNode)
  .on("here", showPeople)
  .on("devices", showDevices)
  .on("story", narrate);

session.subscribe(show);
narrateStates();
startCountdown();
startComposer(socket);
startLogin();
startActions();
startFolds();
show();
showReturnedProblem();
socket.connect();
