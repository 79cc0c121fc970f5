/**
 * Without the story of a crash: the server that stands in for a replica set keeps its sessions in memory, so that a crash
 * loses them. What that story shows of the adapter is shown over the standalone server.
 */
import { describeFaults } from "./describe-faults.ts";
import { mongodbReplica } from "./networked-stores.ts";

describeFaults(mongodbReplica);
