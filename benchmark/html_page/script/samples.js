// The images that were kept: what the model said, every method's map, and the scores under it.
function noMaps(data) {
  return data.samples.images.length
    ? "No maps are kept of these."
    : "This run keeps no maps; 'xaiboard run --maps' with the same words computes them.";
}

function drawPixels(width, height, colour) {
  const canvas = h("canvas", { width, height });
  const pixels = canvas.getContext("2d").createImageData(width, height);
  for (let at = 0; at < width * height; at++) pixels.data.set([...colour(at), 255], 4 * at);
  canvas.getContext("2d").putImageData(pixels, 0, 0);
  return canvas;
}

function imageCanvas(image) {
  const [channels, height, width] = image.shape;
  const size = height * width;
  const at = (channel, pixel) => image.pixels[channel * size + pixel];
  return drawPixels(width, height, (pixel) => (channels === 3 ? [0, 1, 2].map((channel) => at(channel, pixel)) : Array(3).fill(at(0, pixel))));
}

function described(canvas, label) {
  canvas.setAttribute("role", "img");
  canvas.setAttribute("aria-label", label);
  return canvas;
}

function imageTile(data, dataset, sample) {
  const image = data.samples.images.find((one) => one.dataset === dataset && one.sample === sample);
  if (!image) return null;
  return h("figure", { class: "tile" }, described(imageCanvas(image), `image ${sample}`), h("figcaption", {}, `image ${sample}`));
}

// One colour scale for all maps of a method on a model: red above zero, blue below, white at zero.
function mapTile(data, dataset, model, method, sample, caption) {
  const of = data.samples.maps.find((one) => one.dataset === dataset && one.model === model && one.method === method);
  const at = of ? of.samples.indexOf(sample) : -1;
  if (at < 0) return null;
  const [height, width] = of.shape;
  const bound = Math.max(...of.scale) || 1;
  const canvas = drawPixels(width, height, (pixel) => {
    const value = (of.values[at * height * width + pixel] / 127) * (of.scale[at] / bound);
    const colour = d3.rgb(d3.interpolateRdBu(0.5 - value / 2));
    return [colour.r, colour.g, colour.b];
  });
  return h("figure", { class: "tile" }, described(canvas, `map: ${caption}`), h("figcaption", {}, caption, h("br"), h("span", { class: "note" }, `±${number(bound)}`)));
}

function samples(data) {
  const { names } = data;
  const kept = data.samples.images;
  if (!kept.length) return [h("h2", {}, "Samples"), h("p", {}, noMaps(data))];
  const choice = { dataset: state.get("dataset", "0"), model: state.get("model", "0"), sample: state.get("sample"), score: state.get("score") };
  const bar = h("div", { class: "controls" });
  const strip = h("div", { class: "strip", role: "group", "aria-label": "Images" });
  const said = h("p", { role: "status" });
  const maps = h("div", { class: "maps", id: "maps" });
  const change = (changes) => { Object.assign(choice, changes); state.set(changes); draw(); };

  function draw() {
    const [dataset, model] = [Number(choice.dataset), Number(choice.model)];
    const images = kept.filter((one) => one.dataset === dataset);
    if (!images.some((one) => String(one.sample) === choice.sample)) choice.sample = String(images[0]?.sample ?? "");
    const columns = data.columnsOf(dataset, (m, k) => m === model && k >= 0);
    if (!columns.includes(Number(choice.score)) || choice.score === "") choice.score = String(columns[0] ?? "");
    const focused = document.activeElement?.id;
    bar.replaceChildren(
      names.datasets.length > 1 ? chosen("Data", "samples-dataset", names.datasets.map((name, at) => [at, name]), choice.dataset, (value) => change({ dataset: value })) : "",
      chosen("Model", "samples-model", names.models.map((one, at) => [at, one.name]), choice.model, (value) => change({ model: value })),
      chosen("Score under each map", "samples-score", columns.map((at) => [at, names.columns[at].name]), choice.score, (value) => change({ score: value })),
    );
    strip.replaceChildren(...images.map((image) => h("button", {
      type: "button", id: `image-${image.sample}`, "aria-pressed": String(String(image.sample) === choice.sample), "aria-label": `image ${image.sample}`,
      onclick: () => change({ sample: String(image.sample) }),
    }, imageCanvas(image))));
    if (focused) document.getElementById(focused)?.focus();
    show(dataset, model, Number(choice.sample), Number(choice.score));
  }

  function show(dataset, model, sample, column) {
    const found = data.samples.predictions.find(([d, m, s]) => d === dataset && m === model && s === sample);
    said.textContent = found
      ? `Image ${sample}: explained is class ${found[3]}; the label is ${found[4]}, the prediction ${found[5] ? "right" : "wrong"}.`
      : `Image ${sample}: this model has no scores on it.`;
    const of = data.samples.scores[dataset];
    const place = of.samples.indexOf(sample);
    const tiles = names.methods.map((method, at) => {
      const scores = choice.score === "" || place < 0 ? null : data.scores(dataset, model, at, column);
      const score = scores ? number(scores[place]) || "no score" : "no score";
      return mapTile(data, dataset, model, at, sample, `${method.name}${method.control ? " †" : ""}: ${score}`);
    }).filter(Boolean);
    maps.replaceChildren(imageTile(data, dataset, sample) ?? "", ...tiles);
  }

  queueMicrotask(draw);
  return [
    h("h2", {}, "Samples"),
    h("p", { class: "note" }, "Red speaks for the explained class, blue against it. All maps of a method on a model have one scale, the number under each; maps of different methods have different units."),
    bar, strip, said, maps,
  ];
}
