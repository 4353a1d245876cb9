// Runs the libraries and the page's own scripts, which the page holds compressed and its policy knows by their digests.
async function load() {
  try {
    for (const text of (await unpacked("scripts")).scripts) {
      const script = document.createElement("script");
      script.textContent = text;
      document.head.append(script);
    }
  } catch (error) {
    tellFailure(error);
    throw error;
  }
}
load();
