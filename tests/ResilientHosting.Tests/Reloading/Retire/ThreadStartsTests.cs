using ResilientHosting.Reloading;

namespace ResilientHosting.Tests.Reloading.Retire;

public sealed class ThreadStartsTests
{
    [Fact]
    public void MethodsThatRunOnThreadsOfTheirOwn_AreFoundInTheCode()
    {
        var starts = ThreadStarts.In(typeof(ThreadStartsTests).Assembly);

        Assert.Contains($"{nameof(ThreadStartsTests)}.{nameof(Serve)}", starts);
        Assert.Contains($"a lambda in {nameof(ThreadStartsTests)}.{nameof(NotCalled)}", starts);
        Assert.DoesNotContain($"{nameof(ThreadStartsTests)}.{nameof(NotServed)}", starts);
    }

    internal static (Thread, Thread, Action) NotCalled(int number) =>
        (new Thread(Serve) { IsBackground = true }, new Thread(() => Serve(number), 1024), NotServed);

    private static void Serve(object? state) => _ = state;

    private static void NotServed()
    {
    }
}
