internal sealed record Message(string Text);
