namespace ResilientHosting.Tests.Reloading;

/// <summary>An exception that says it was thrown wherever a test wants it to have been.</summary>
internal sealed class FakeException(string message, string? stack, Exception? cause = null) : Exception(message, cause)
{
    public override string? StackTrace => stack;
}
