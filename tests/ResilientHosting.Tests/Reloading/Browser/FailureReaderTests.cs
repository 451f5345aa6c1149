using System.Text.Json;
using ResilientHosting.Reloading;
using ResilientHosting.Tests.Infrastructure;

namespace ResilientHosting.Tests.Reloading;

public sealed class FailureReaderTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();
    private readonly string _program;
    private readonly FailureReader _reader;

    public FailureReaderTests()
    {
        _program = _folder.Write("App/Program.cs", "first\nsecond\nthird\n");
        _reader = SomeFailure.ReaderOf(_folder.PathOf("App"));
    }

    public void Dispose() => _folder.Dispose();

    [Fact]
    public void Read_AnError_HasItsPlaceTheCodeAndALink()
    {
        var error = Assert.Single(_reader.Read("1 error", [new BuildDiagnostic("CS1002", true, _program, 2, 7, "; expected") { Project = "/shop/App/App.csproj" }]).Diagnostics);

        Assert.Equal(("CS1002", "; expected", "App"), (error.Id, error.Message, error.Project));
        Assert.Equal((_program, "Program.cs:2:7"), (error.Place!.File, error.Place.ToString()));
        Assert.Equal(["first", "second", "third", ""], error.Place.Code!.Lines);
        Assert.Equal(("second", "", ""), error.Place.Code.Split());
        Assert.EndsWith("/App/Program.cs:2:7", error.Place.EditorLink, StringComparison.Ordinal);
    }

    [Fact]
    public void Read_ErrorsOutsideTheProject_ShowNothingOfTheFile()
    {
        var secret = _folder.Write("Other/secret.cs", "secret");
        string[] paths = [secret, Path.Combine(Path.GetDirectoryName(_program)!, "..", "Other", "secret.cs"), "/etc/hostname", "Generated.g.cs", "gone.cs", "", "\0", "<script>"];

        var failure = _reader.Read("errors", [.. paths.Select(path => new BuildDiagnostic("CS1", true, path, 1, 1, "message"))]);

        Assert.All(failure.Diagnostics, error => Assert.True(error.Place is null or { Code: null, EditorLink: null }));
    }

    [Fact]
    public void Read_AFileThatCannotBeShown_ShowsThePlaceAlone()
    {
        var huge = _folder.Write("App/Huge.cs", new string('x', 3_000_000));

        var place = _reader.Read("errors", [new BuildDiagnostic("CS1", true, huge, 1, 1, "message")]).Diagnostics[0].Place!;

        Assert.Null(place.Code);
        Assert.NotNull(place.EditorLink);
    }

    [Fact]
    public void Read_WithoutAnEditor_HasNoLinks()
    {
        var reader = SomeFailure.ReaderOf(_folder.PathOf("App"), editor: null);

        var place = reader.Read("errors", [new BuildDiagnostic("CS1", true, _program, 1, 1, "message")]).Diagnostics[0].Place!;

        Assert.Equal((null, true), (place.EditorLink, place.Code is not null));
    }

    [Fact]
    public void Read_ThousandsOfErrors_AreCountedAndTheFirstFiftyShown()
    {
        var failure = _reader.Read("errors", [.. Enumerable.Range(1, 5_000).Select(number => new BuildDiagnostic($"CS{number}", true, _program, 1, 1, "message"))]);

        Assert.Equal(("CS1", "CS50", 4_950), (failure.Diagnostics[0].Id, failure.Diagnostics[^1].Id, failure.MoreDiagnostics));
    }

    [Fact]
    public void Read_AnException_HasOwnFramesWithTheirCode_AndTheStackAsItIs()
    {
        var failure = _reader.Read("crashed", new FakeException("no order", $"""
               at System.ThrowHelper.Throw(String what)
               at Shop.Orders.Find[T](Func`2 what, Int32 id) in {_program}:line 3
            --- End of stack trace from previous location ---
               at Package.Run(String[] args) in /_/src/Package.cs:line 9
               at Program.<Main>$(String[] args) in {_program}:line 1
            """));

        var exception = failure.Exception!;
        Assert.Equal((typeof(FakeException).FullName, "no order"), (exception.Type, exception.Message));
        Assert.Equal(
            [("Shop.Orders.Find[T](Func`2 what, Int32 id)", "Program.cs:3"), ("Program.<Main>$(String[] args)", "Program.cs:1")],
            exception.OwnFrames.Select(frame => (frame.Method, frame.Place.ToString())));
        Assert.Equal((2, "third"), (exception.OwnFrames[0].Place.Code!.MarkedLine, exception.OwnFrames[0].Place.Code!.Lines[2]));
        Assert.Equal(5, exception.Stack.Count);
    }

    [Fact]
    public void Read_ARealException_HasAStack()
    {
        var thrown = Assert.Throws<InvalidOperationException>(static void () => throw new InvalidOperationException("outer", new ArgumentException("inner")));

        var exception = _reader.Read("crashed", thrown).Exception!;

        Assert.Contains(nameof(Read_ARealException_HasAStack), exception.Stack[0], StringComparison.Ordinal);
        Assert.Equal("inner", Assert.Single(exception.Causes).Message);
    }

    [Fact]
    public void Read_ACauseWithinACause_ListsThemFromTheOutsideIn()
    {
        var thrown = new AggregateException("several", new IOException("a", new FormatException("b")), new TimeoutException("c"));

        Assert.Equal(["a", "b", "c"], _reader.Read("crashed", thrown).Exception!.Causes.Select(cause => cause.Message));
    }

    [Fact]
    public void Read_AnExceptionThatIsTooMuch_IsBounded()
    {
        var stack = string.Join('\n', Enumerable.Repeat($"   at Shop.Deep() in {_program}:line 2", 20_000));
        Exception thrown = new FakeException(new string('m', 100_000), stack);
        for (var depth = 0; depth < 50; depth++)
        {
            thrown = new AggregateException(thrown, new FakeException("beside", stack));
        }

        var failure = _reader.Read("crashed", thrown);

        Assert.InRange(FailurePages.Json(failure).Length, 1_000, 400_000);
        Assert.Equal(300, failure.ToHeaderValue().Length);
    }

    [Fact]
    public void Read_AnExceptionThatThrowsItself_SaysSo()
    {
        var exception = _reader.Read("crashed", new ThrowingException()).Exception!;

        Assert.Equal($"({typeof(ThrowingException)} can't be read: System.NotSupportedException)", exception.Message);
    }

    [Fact]
    public void HeaderValue_OfWhateverIsSaid_IsALineOfAscii()
    {
        const int Seed = 20_261_122;
        var random = new Random(Seed);
        for (var i = 0; i < 500; i++)
        {
            var value = _reader.Read("Fails.", new FakeException(i == 0 ? HostileText.Huge(random) : HostileText.Next(random, 40), null)).ToHeaderValue();

            Assert.True(value.Length is > 6 and <= 300 && value.All(letter => letter is >= ' ' and <= '~'), $"Seed {Seed}, failure {i}: {value}");
        }
    }

    [Fact]
    public void Json_OfWhateverIsSaid_IsReadAsItWasWritten()
    {
        const int Seed = 20_261_122;
        var random = new Random(Seed);
        for (var i = 0; i < 500; i++)
        {
            var failure = _reader.Read("Fails.", [new BuildDiagnostic(HostileText.Next(random, 5), true, HostileText.Next(random, 10), random.Next(), random.Next(), HostileText.Next(random, 60)) { Project = HostileText.Next(random, 5) }]);

            var json = FailurePages.Json(failure);
            var read = JsonDocument.Parse(json).RootElement.GetProperty("diagnostics")[0];

            Assert.True(failure.Diagnostics[0].Message == read.GetProperty("message").GetString(), $"Seed {Seed}, failure {i}");
            Assert.DoesNotContain('<', json);
            Assert.DoesNotContain('\n', json);
        }
    }

    private sealed class ThrowingException : Exception
    {
        public override string Message => throw new NotSupportedException();
    }
}
