using ResilientHosting.Aborts;
using ResilientHosting.Tests.Infrastructure;

namespace ResilientHosting.Tests.Aborts.Policy;

public sealed class GuardedCancellationTests
{
    [Fact]
    public void CancelGuarded_CallbackThrows_IsReportedAndTheOthersRun()
    {
        using var logs = new LogCollector();
        using var source = new CancellationTokenSource();
        var others = 0;
        source.Token.Register(() => others++);
        source.Token.Register(() => throw new InvalidOperationException("callback"));
        source.Token.Register(() => others++);

        source.CancelGuarded(logs.CreateLogger("test"));

        Assert.Equal(2, others);
        Assert.Equal("callback", logs.Only("CancellationCallbackFailed").Exception?.InnerException?.Message);
    }
}
