// Sends a file with tus-js-client. Arguments: endpoint, file, protocol (tus-v1, ietf-draft-05), chunk bytes, and the offset
// at which it gives up once and goes on (0: never).
import { createReadStream, statSync } from 'node:fs'
import { Upload } from 'tus-js-client'

const [endpoint, path, protocol, chunk, breakAt] = process.argv.slice(2)
const size = statSync(path).size
let broken = breakAt === '0'

const upload = new Upload(createReadStream(path), {
  endpoint,
  protocol,
  uploadSize: size,
  chunkSize: Number(chunk),
  retryDelays: [0, 200, 500],
  metadata: { filename: 'a file' },
  onError: (error) => {
    console.error(error.message)
    process.exit(1)
  },
  onChunkComplete: (_, accepted) => {
    if (broken || accepted < Number(breakAt)) return
    broken = true
    upload.abort(false).then(() => {
      const again = new Upload(createReadStream(path), { ...upload.options, uploadUrl: upload.url })
      again.options.onSuccess = () => console.log(again.url)
      again.start()
    })
  },
  onSuccess: () => console.log(upload.url),
})
upload.start()
