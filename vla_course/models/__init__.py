"""Vision, language, fusion, decoder, and the policy that composes them."""
