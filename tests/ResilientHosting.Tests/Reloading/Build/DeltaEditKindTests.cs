using System.Globalization;

namespace ResilientHosting.Tests.Reloading.Build;

/// <summary>
/// Every kind of edit, alone and piled upon others: whatever a delta says it can express has to be what a whole image would be.
/// </summary>
public sealed class DeltaEditKindTests(ComparedCompilers compilers) : IClassFixture<ComparedCompilers>
{
    private const int Seed = 20261122;

    // Each edit writes its text before the mark, with a number of its own for {0}, and perhaps a use of it into Probe.Run.
    private const string Program = """
        using System.Text;
        Console.WriteLine(Probe.Run() /*main*/);
        public static class Probe
        {
            public static string Run()
            {
                var s = new StringBuilder();
                var f = new Foo(3);
                s.Append(f.Value(2)).Append(f.Auto).Append(new Foo().Value(1)).Append(new Prim(4).Get()).Append(new Rec(1, "a").Text());
                s.Append(new Box<int>(7).Get()).Append(new Box<string>("q").Get()).Append(string.Join(",", Foo.Seq())).Append(Foo.Later().Result);
                s.Append(new St { A = 1 }.Sum()).Append(((IGreet)new Greeter()).Greet("w")).Append(Foo.Shared).Append(Kind.B);
                s.Append(new Derived().Name()).Append(Over.M(1)).Append(f[2]).Append(f + 1);
                Delegate handler = (string? a, string b) => a /*lambda*/ + b;
                s.Append(string.Join(",", handler.Method.GetParameters().Select(p => new System.Reflection.NullabilityInfoContext().Create(p).ReadState)));
                /*run*/
                return s.ToString();
            }
        }
        public class Foo
        {
            private int _x = 1 /*init*/;
            public static int Shared = 5 /*static init*/;
            /*fields*/
            public Foo(int y) { _x += y; /*constructor*/ }
            public Foo() : this(9 /*constructor call*/) { }
            public int Value(int n) { /*statement*/ return _x + n /*value*/; }
            public int this[int i] => i + 1 /*indexer*/;
            public int Auto { get; set; } = 3 /*auto init*/;
            public int Full { get { return _x /*getter*/; } set { _x = value; } }
            public static IEnumerable<int> Seq() { yield return 1; /*iterator*/ }
            public static async Task<int> Later() { await Task.Yield(); /*async*/ return 4; }
            public static int operator +(Foo foo, int n) => foo._x + n /*operator*/;
            /*members*/
        }
        public class Prim(int p) { public int Get() { return p /*primary*/; } public int R = p; public int Free() { return 1 /*not captured*/; } }
        public class Lone(int q) { public int R = q; public int Get() { return 1 /*capture*/; } }
        public record Rec(int A, string B) { public string Text() => B + A /*record body*/; /*record*/ }
        public class Box<T>(T v) { private readonly T _v = v; public string Get() => _v + "" /*generic body*/; /*generic*/ }
        public struct St { public int A; public int Sum() => A + 1; /*struct*/ }
        public interface IGreet { string Greet(string n); /*interface*/ }
        public class Greeter : IGreet { public string Greet(string n) => "hi " + n; }
        public enum Kind { A, B /*enum*/ }
        public class Base { public virtual string Name() => "base"; /*base*/ }
        public class Derived : Base { /*derived*/ }
        public static class Over { public static string M(object o) => "object"; /*overloads*/ }
        /*types*/
        """;

    private static readonly EditKind[] Kinds =
    [
        new("expression", "value", "+ {0}"),
        new("statement", "statement", "if (n == {0}) {{ throw new InvalidOperationException(); }} "),
        new("lambda", "value", "+ new[] {{ 1, n }}.Select(a{0} => a{0} + n + _x).Sum()"),
        new("local function", "statement", "int Local{0}(int k) => k * _x + n; n += Local{0}({0}); "),
        new("anonymous type", "value", "+ new {{ P{0} = n }}.P{0}"),
        new("dynamic", "value", "+ (int)((dynamic)n + {0})"),
        new("array data", "value", "+ new byte[] {{ 1, 2, 3, 4, 5, 6, 7, 8, {0} }}.Length"),
        new("string switch", "value", "+ (n.ToString() switch {{ \"a\" => 1, \"b\" => 2, \"c\" => 3, \"d\" => 4, \"e\" => 5, \"f\" => 6, \"2\" => {0}, _ => 0 }})"),
        new("lambda of an endpoint", "lambda", "+ \"{0}\""),
        new("iterator", "iterator", "yield return {0}; "),
        new("asynchronous method", "async", "await Task.Yield(); if (Shared == -{0}) return {0}; "),
        new("getter", "getter", "+ {0}", "s.Append(f.Full);"),
        new("indexer", "indexer", "+ {0}"),
        new("operator", "operator", "+ {0}"),
        new("generic body", "generic body", "+ typeof(T).Name + \"{0}\""),
        new("record body", "record body", "+ \"{0}\""),
        new("captured parameter of a primary constructor", "primary", "+ {0}"),
        new("constructor", "constructor", "_x += {0}; "),
        new("constructor call", "constructor call", "+ {0}"),
        new("field initializer", "init", "+ {0}"),
        new("static initializer", "static init", "+ {0}"),
        new("property initializer", "auto init", "+ {0}"),
        new("top-level statement", "main", "+ \"{0}\""),
        new("method", "members", "public int Method{0}(int z, string? t = null) => z + _x; ", "s.Append(f.Method{0}(4));"),
        new("generic method", "members", "public T Generic{0}<T>(T z) where T : notnull => z; ", "s.Append(f.Generic{0}(\"g\")).Append(f.Generic{0}({0}));"),
        new("asynchronous new method", "members", "public async Task<string?> Async{0}(int z) {{ await Task.Yield(); return \"\" + z; }} ", "s.Append(f.Async{0}({0}).Result);"),
        new("new iterator", "members", "public IEnumerable<int> Iterator{0}() {{ yield return {0}; }} ", "s.Append(f.Iterator{0}().Single());"),
        new("method with attributes", "members", "[Obsolete(\"m{0}\", false)] public int Marked{0}([System.ComponentModel.Description(\"d{0}\")] int z) => z; "),
        new("computed property", "members", "public int Computed{0} => _x * {0}; ", "s.Append(f.Computed{0});"),
        new("automatic property", "members", "public string? Automatic{0} {{ get; set; }} = \"p{0}\"; ", "s.Append(f.Automatic{0}).Append(new Foo().Automatic{0});"),
        new("static property", "members", "public static int Static{0} {{ get; set; }} = {0}; ", "s.Append(Foo.Static{0});"),
        new("field", "fields", "private readonly List<int> _field{0} = [1, {0}]; ", null),
        new("field without initializer", "fields", "public int Field{0}; ", "f.Field{0}++; s.Append(f.Field{0});"),
        new("static field", "derived", "public static readonly string Field{0} = \"st{0}\"; ", "s.Append(Derived.Field{0});"),
        new("field of a class without constructor", "derived", "public readonly string? Text{0} = \"t{0}\"; ", "s.Append(new Derived().Text{0});"),
        new("constant", "derived", "public const int Constant{0} = {0}; ", "s.Append(Derived.Constant{0});"),
        new("event", "members", "public event Action? Event{0}; public void Fire{0}() => Event{0}?.Invoke(); ", "f.Event{0} += () => s.Append(\"event{0}\"); f.Fire{0}();"),
        new("method of a record", "record", "public int OfRecord{0}() => A + {0}; ", "s.Append(new Rec(2, \"z\").OfRecord{0}());"),
        new("method of a struct", "struct", "public int OfStruct{0}() => A + {0}; ", "s.Append(new St {{ A = 3 }}.OfStruct{0}());"),
        new("method of a generic type", "generic", "public T OfGeneric{0}() => _v; ", "s.Append(new Box<int>(3).OfGeneric{0}()).Append(new Box<string>(\"g\").OfGeneric{0}());"),
        new("field of a generic type", "generic", "public T? InGeneric{0}; ", "s.Append(new Box<int>(3) {{ InGeneric{0} = 4 }}.InGeneric{0}).Append(new Box<string>(\"g\") {{ InGeneric{0} = \"h\" }}.InGeneric{0});"),
        new("static field of a generic type", "generic", "public static T? Kept{0}; ", "s.Append(Box<int>.Kept{0} = 5).Append(Box<string>.Kept{0} = \"u\");"),
        new("virtual method", "base", "public virtual string Virtual{0}() => \"v{0}\"; ", "s.Append(new Derived().Virtual{0}());"),
        new("better overload", "overloads", "public static string M(int o, params Span<byte> none{0}) => \"int\"; ", null, OnlyOnce: true),
        new("nested type", "members", "public sealed class Inner{0} {{ public string? A = \"{0}\"; }} ", "s.Append(new Foo.Inner{0}().A);"),
        new("class", "types", "public class Class{0}(int a) {{ public int A {{ get; }} = a; private int _q = 5; public int M() => A + _q; }} ", "s.Append(new Class{0}(4).M());"),
        new("derived class", "types", "public class Derived{0} : Base {{ public override string Name() => \"d{0}\" + base.Name(); }} ", "s.Append(new Derived{0}().Name());"),
        new("generic class", "types", "public class Sorted{0}<T> where T : IComparable<T> {{ public static T? First; private readonly List<T> _i = []; public T Put(T t) {{ _i.Add(t); _i.Sort(); return _i[0]; }} }} ", "s.Append(new Sorted{0}<int>().Put({0})).Append(Sorted{0}<string>.First = \"m\");"),
        new("record", "types", "public record Record{0}(int N, string? S = null); ", "s.Append(new Record{0}(4)).Append(new Record{0}(1) == new Record{0}(1)).Append(new Record{0}(1) with {{ N = 9 }});"),
        new("record struct", "types", "public readonly record struct Point{0}(int X, double Y); ", "s.Append(new Point{0}(4, 2)).Append(System.Runtime.CompilerServices.Unsafe.SizeOf<Point{0}>());"),
        new("enum", "types", "[Flags] public enum Enum{0} : byte {{ X = 1, Y = 2 }} ", "s.Append(Enum{0}.X | Enum{0}.Y).Append(Enum.GetNames<Enum{0}>().Length);"),
        new("interface and class", "types", "public interface INew{0}<T> {{ T Go(); string Default() => \"default{0}\"; }} public class Impl{0} : INew{0}<int> {{ public int Go() => {0}; }} ", "INew{0}<int> i{0} = new Impl{0}(); s.Append(i{0}.Go()).Append(i{0}.Default());"),
        new("delegate", "types", "public delegate int Delegate{0}(int x); ", "Delegate{0} d{0} = x => x + {0}; s.Append(d{0}(4));"),
        new("extension method", "types", "public static class Extensions{0} {{ public static string Shout{0}(this string s) => s.ToUpperInvariant(); }} ", "s.Append(\"x\".Shout{0}());"),
        new("attribute class", "types", "public sealed class Mark{0}Attribute(string n) : Attribute {{ public string N => n; }} [Mark{0}(\"k{0}\")] public class Marked{0} {{ }} ", "s.Append(((Mark{0}Attribute)typeof(Marked{0}).GetCustomAttributes(false).Single(a => a is Mark{0}Attribute)).N);"),

        // What follows takes a whole image: it changes what is there, or what other code means.
        new("first use of a primary constructor's parameter", "capture", "+ q", null, IsDelta: false, OnlyOnce: true),
        new("field of a struct", "struct", "public int InStruct{0}; ", "s.Append(new St {{ A = 3, InStruct{0} = 4 }}.InStruct{0});", IsDelta: false),
        new("property of a record", "record", "public int Extra{0} {{ get; init; }} ", "s.Append(new Rec(2, \"z\") {{ Extra{0} = 5 }});", IsDelta: false),
        new("member of an enum", "enum", ", C{0}", null, IsDelta: false),
        new("member of an interface", "interface", "string Default{0}() => \"{0}\"; ", null, IsDelta: false),
        new("constructor of a class", "members", "public Foo(long a{0}, string b{0}) {{ }} ", null, IsDelta: false, OnlyOnce: true),
        new("static constructor", "members", "static Foo() {{ Shared = {0}; }} ", null, IsDelta: false, OnlyOnce: true),
        new("new operator", "members", "public static int operator -(Foo foo, int n) => {0}; ", "s.Append(f - 1);", IsDelta: false, OnlyOnce: true),
        new("finalizer", "members", "~Foo() {{ }} ", null, IsDelta: false, OnlyOnce: true),
        new("awaiting top-level statement", "main", "+ await Task.FromResult({0})", null, IsDelta: false),
    ];

    public static TheoryData<string> KindNames => [.. Kinds.Select(kind => kind.Name)];

    [Theory]
    [MemberData(nameof(KindNames))]
    public void Compile_OneEdit_DeltaIsWhatAWholeImageWouldBe(string name)
    {
        var kind = Kinds.Single(kind => kind.Name == name);
        compilers.Start(Program);

        var isDelta = compilers.Edit(kind.Apply(Program, 7), name);

        Assert.Equal(kind.IsDelta, isDelta);
    }

    [Fact]
    public void Compile_EditsUponEdits_DeltasAreWhatWholeImagesWouldBe()
    {
        var random = new Random(Seed);
        var (source, done) = (Program, new List<string>());
        compilers.Start(source);

        var deltas = 0;
        for (var edit = 1; edit <= 80; edit++)
        {
            var open = Kinds.Where(kind => !(kind.OnlyOnce && done.Contains(kind.Name))).ToArray();

            // Whole images are a fresh start; too many of them would leave no edits to pile up.
            var kind = random.Next(10) == 0 ? open[random.Next(open.Length)] : open[random.Next(open.Count(kind => kind.IsDelta))];
            source = kind.Apply(source, edit + 10);
            done.Add(kind.Name);
            deltas += compilers.Edit(source, $"seed {Seed}: {string.Join(", ", done)}") ? 1 : 0;
        }

        Assert.True(deltas >= 50, $"Only {deltas} of 80 edits were deltas (seed {Seed}).");
    }

    private sealed record EditKind(string Name, string Mark, string Text, string? Use = null, bool IsDelta = true, bool OnlyOnce = false)
    {
        public string Apply(string source, int number) => Insert(Insert(source, Mark, Text, number), "run", Use ?? "", number);

        private static string Insert(string source, string mark, string text, int number) =>
            source.Replace($"/*{mark}*/", $"{string.Format(CultureInfo.InvariantCulture, text, number)}/*{mark}*/", StringComparison.Ordinal);
    }
}
