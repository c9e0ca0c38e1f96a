// tus-js-client sending one file in one request: the file and the server's address are the arguments.
import { createReadStream, statSync } from "node:fs";
import { Upload } from "tus-js-client";

const [path, endpoint] = process.argv.slice(2);
const upload = new Upload(createReadStream(path), {
  endpoint,
  uploadSize: statSync(path).size,
  retryDelays: null,
  onError: (error) => {
    console.error(error.message);
    process.exit(1);
  },
});
upload.start();
