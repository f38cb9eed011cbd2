/* Passkeys: what only the browser can do. A form with data-passkey="enter|prove|add" asks our server for a challenge at
   data-options, lets the browser sign it, and sends the answer in its hidden field. Nothing is kept here. */
"use strict";
(() => {
  const bytes = (text) => Uint8Array.from(atob(text.replace(/-/g, "+").replace(/_/g, "/")), (letter) => letter.charCodeAt(0));
  const text = (buffer) => btoa(String.fromCharCode(...new Uint8Array(buffer))).replace(/\+/g, "-").replace(/\//g, "_").replace(/=+$/, "");
  const keys = (list) => (list || []).map((key) => ({ ...key, id: bytes(key.id) }));

  async function make(options) {
    const asked = options.publicKey;
    const made = await navigator.credentials.create({ publicKey: {
      ...asked, challenge: bytes(asked.challenge), user: { ...asked.user, id: bytes(asked.user.id) }, excludeCredentials: keys(asked.excludeCredentials),
    } });
    return answer(made, { attestationObject: text(made.response.attestationObject), clientDataJSON: text(made.response.clientDataJSON) });
  }
  async function prove(options) {
    const asked = options.publicKey;
    const found = await navigator.credentials.get({ publicKey: {
      ...asked, challenge: bytes(asked.challenge), allowCredentials: keys(asked.allowCredentials),
    } });
    const given = found.response;
    return answer(found, {
      authenticatorData: text(given.authenticatorData), clientDataJSON: text(given.clientDataJSON), signature: text(given.signature),
      userHandle: given.userHandle ? text(given.userHandle) : null,
    });
  }
  const answer = (credential, response) => ({
    type: credential.type, id: credential.id, rawId: text(credential.rawId), response,
    clientExtensionResults: credential.getClientExtensionResults(),
  });

  document.querySelectorAll("form[data-passkey]").forEach((form) => {
    const trouble = form.querySelector("[data-trouble]");
    if (!window.PublicKeyCredential) { // also on a plain http address
      form.querySelector("[data-missing]").hidden = false;
      form.querySelectorAll("button").forEach((button) => { button.disabled = true; });
      return;
    }
    form.addEventListener("submit", async (event) => {
      if (form.elements.credential.value) return;
      event.preventDefault();
      event.stopImmediatePropagation(); // nothing is being sent yet
      trouble.hidden = true;
      try {
        const reply = await fetch(form.dataset.options, { headers: { Accept: "application/json" } });
        if (!reply.ok) { window.location.reload(); return; }
        const options = await reply.json();
        const given = await (form.dataset.passkey === "add" ? make(options) : prove(options));
        form.elements.credential.value = JSON.stringify(given);
        form.submit();
      } catch (error) { // refused, timed out, or no passkey here
        trouble.hidden = false;
        trouble.focus();
      }
    }, true);
  });
})();
