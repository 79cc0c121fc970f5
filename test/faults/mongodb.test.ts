import { describeFaults } from "./describe-faults.ts";
import { mongodb } from "./networked-stores.ts";

describeFaults(mongodb);
