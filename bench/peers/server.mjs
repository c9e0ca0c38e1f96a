// @tus/server as its README starts it: folder, host and port are the arguments.
import { FileStore } from "@tus/file-store";
import { Server } from "@tus/server";

const [folder, host, port] = process.argv.slice(2);
new Server({ path: "/files", datastore: new FileStore({ directory: folder }) }).listen({ host, port: Number(port) });
