// Unpacks what the page holds: gzip in base64, JSON whose arrays of numbers follow it as bytes.
async function inflated(id) {
  const bytes = Uint8Array.from(atob(document.getElementById(id).textContent), (letter) => letter.charCodeAt(0));
  const stream = new Blob([bytes]).stream().pipeThrough(new DecompressionStream("gzip"));
  return new Response(stream).arrayBuffer();
}

async function unpacked(id) {
  const buffer = await inflated(id);
  const length = new DataView(buffer).getUint32(0, true);
  const start = 4 + length;
  const kinds = { Int8Array, Uint8Array, Int16Array, Uint16Array, Int32Array, Float32Array };
  const text = new TextDecoder().decode(new Uint8Array(buffer, 4, length));
  return JSON.parse(text, (name, value) => {
    if (!value || !value.$) return value;
    const [kind, offset, size] = value.$;
    return new kinds[kind](buffer, start + offset, size);
  });
}

// Says why there is nothing to see.
function tellFailure(error) {
  const text = document.createElement("p");
  text.setAttribute("role", "alert");
  text.textContent = `The page cannot be shown: ${error.message}. A newer browser may; the tables beside this file hold the same numbers.`;
  document.getElementById("main").replaceChildren(text);
}
