using System.Text;
using ResilientHosting.Reloading;
using ResilientHosting.Tests.Infrastructure;

namespace ResilientHosting.Tests.Reloading;

/// <summary>The reloader's lines: in order, and never in anybody's way.</summary>
public sealed class ReloadConsoleTests
{
    [Fact]
    public void Say_AnOrdinaryOutput_IsWrittenWhenItReturns()
    {
        using var output = new StringWriter { NewLine = "\n" };
        var console = new ReloadConsole(output);

        console.Say("first");
        Assert.Equal("dev reloader: first\n", output.ToString());
        console.Show(new InvalidOperationException("second"));

        Assert.Equal("dev reloader: first\nSystem.InvalidOperationException: second\n", output.ToString());
    }

    [Fact]
    public void Show_AnExceptionWhoseTextFails_NamesItNevertheless()
    {
        using var output = new StringWriter { NewLine = "\n" };

        new ReloadConsole(output).Show(new Unspeakable());

        Assert.Equal($"({typeof(Unspeakable)} can't be read: System.NotSupportedException)\n", output.ToString());
    }

    [Fact]
    public async Task Say_OutputThatTakesNothing_ReturnsAndIsWrittenLaterInOrder()
    {
        using var output = new StoppedWriter();
        var console = new ReloadConsole(output);

        console.Say("1");
        for (var line = 2; line <= 1500; line++)
        {
            console.Say($"{line}");
        }

        output.GoOn();
        await output.Written("dev reloader: 1500").WaitAsync(ConsoleLines.Timeout, TestContext.Current.CancellationToken);

        // The line that was being written, and as many of the latest as are kept.
        Assert.Equal(["dev reloader: 1", .. Enumerable.Range(501, 1000).Select(line => $"dev reloader: {line}")], output.Lines);
    }

    [Fact]
    public void Say_OutputThatFails_GoesOn()
    {
        var console = new ReloadConsole(new FailingWriter());

        console.Say("first");
        console.Say("second");
    }

    private sealed class StoppedWriter : TextWriter
    {
        private readonly ManualResetEventSlim _goOn = new();
        private readonly TaskCompletionSource _last = new(TaskCreationOptions.RunContinuationsAsynchronously);
        private string? _lastLine;

        public List<string> Lines { get; } = [];

        public override Encoding Encoding => Encoding.UTF8;

        public Task Written(string lastLine)
        {
            lock (Lines)
            {
                _lastLine = lastLine;
                if (Lines.Contains(lastLine))
                {
                    _last.TrySetResult();
                }
            }

            return _last.Task;
        }

        public void GoOn() => _goOn.Set();

        public override void WriteLine(string? value)
        {
            _goOn.Wait();
            lock (Lines)
            {
                Lines.Add(value!);
                if (value == _lastLine)
                {
                    _last.TrySetResult();
                }
            }
        }

        protected override void Dispose(bool disposing)
        {
            _goOn.Dispose();
            base.Dispose(disposing);
        }
    }

    private sealed class FailingWriter : TextWriter
    {
        public override Encoding Encoding => Encoding.UTF8;

        public override void WriteLine(string? value) => throw new NotSupportedException("The application's own idea of a console.");
    }

    private sealed class Unspeakable : Exception
    {
        public override string ToString() => throw new NotSupportedException();
    }
}
