using System.Reflection.Metadata;
using ResilientHosting.Reloading;
using ResilientHosting.Tests.Reloading.Retire;

[assembly: MetadataUpdateHandler(typeof(UpdateHandlersTests.Counting))]
[assembly: MetadataUpdateHandler(typeof(UpdateHandlersTests.Failing))]

namespace ResilientHosting.Tests.Reloading.Retire;

public sealed class UpdateHandlersTests
{
    [Fact]
    public void HandlerThatThrows_IsNamedOnceAndNotAskedAgain()
    {
        using var said = new StringWriter();
        var handlers = new UpdateHandlers(new ReloadConsole(said));
        var calls = Counting.Calls;

        handlers.ClearCaches();
        handlers.ClearCaches();

        var line = Assert.Single(said.ToString().Split('\n', StringSplitOptions.RemoveEmptyEntries));
        Assert.Contains(nameof(Failing), line, StringComparison.Ordinal);
        Assert.Contains("no memory of it", line, StringComparison.Ordinal);
        Assert.Equal(calls + 2, Counting.Calls);
    }

    internal static class Counting
    {
        public static int Calls { get; private set; }

        public static void ClearCache(Type[]? types)
        {
            Assert.Null(types);
            Calls++;
        }

        // An overload that is not meant.
        public static void ClearCache(string name) => Assert.Fail(name);
    }

    internal static class Failing
    {
        internal static void ClearCache(Type[]? types) => throw new InvalidOperationException($"no memory of it: {types}");
    }
}
